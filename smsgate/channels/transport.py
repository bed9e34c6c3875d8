"""What an error of the network leaves us knowing of a message, for SDKs that go through requests.

The question is always the same: can the request have reached the provider? Where it cannot, the message is unsent;
where it may have, it is uncertain and the provider has to be asked.
"""

import http.client
import ssl
from collections.abc import Sequence
from typing import Final

import requests
import urllib3.exceptions as urllib3

from smsgate.channels.failure import Failure
from smsgate.outcome import Fault, Refused, Uncertain, Unsent

# What was found in the chain of causes → the outcome; the first that fits. The upper half fails before the request is
# written, the lower half may fail after it: a reset or a TLS error does not say when it struck.
TRANSPORT: Final[tuple[tuple[type[BaseException], Failure], ...]] = (
    (requests.exceptions.InvalidHeader, Refused("invalid_header", Fault.CREDENTIALS)),  # of a key with a line break
    (requests.exceptions.InvalidURL, Refused("invalid_endpoint", Fault.CREDENTIALS)),
    (urllib3.ProxyError, Unsent("proxy", Fault.PROVIDER)),  # raised only where the proxy could not be connected to
    (urllib3.NameResolutionError, Unsent("dns", Fault.PROVIDER)),
    (ConnectionRefusedError, Unsent("connect_refused", Fault.PROVIDER)),
    (urllib3.NewConnectionError, Unsent("connect_failed", Fault.PROVIDER)),
    (urllib3.ConnectTimeoutError, Unsent("connect_timeout", Fault.PROVIDER)),
    (ssl.SSLCertVerificationError, Unsent("tls_certificate", Fault.PROVIDER)),
    (urllib3.ReadTimeoutError, Uncertain("read_timeout")),
    (http.client.IncompleteRead, Uncertain("truncated_answer")),
    (urllib3.DecodeError, Uncertain("unparsable_answer")),
    (http.client.BadStatusLine, Uncertain("connection_reset")),  # RemoteDisconnected among them
    (ConnectionError, Uncertain("connection_reset")),
    (urllib3.ProtocolError, Uncertain("connection_reset")),
    (urllib3.SSLError, Uncertain("tls")),
)

# Celery's and billiard's limits, by name: a channel knows no Celery. The second is our own deadline's name too.
TIME_LIMITS: Final = frozenset({"SoftTimeLimitExceeded", "TimeLimitExceeded"})


def outcome_among(causes: Sequence[BaseException]) -> Failure | None:
    """Find the outcome for a failure of the network by what lies behind it; None if it was none that we know."""
    return next((outcome for kind, outcome in TRANSPORT if any(isinstance(cause, kind) for cause in causes)), None)
