"""What one call says about its channel: whether the provider is well, and what stands in its way."""

from enum import StrEnum
from typing import Final, assert_never

from smsgate.outcome import Fault, Outcome, Refused, Sent, Uncertain, Unsent
from smsgate.trace import Known, NoAnswer, Trace, Unknown


class Verdict(StrEnum):
    """What a call is counted as; the provider answered properly in all but the first two."""

    FAILED = "failed"  # the provider's fault, and surely not sent
    UNCERTAIN = "uncertain"  # the provider's fault, or the network's: a timeout, a reset, a 5xx
    THROTTLED = "throttled"  # too fast: that slows the rate, and opens no breaker
    ACCOUNT = "account"  # money, quota, suspension: every call fails until an operator acts
    CREDENTIALS = "credentials"  # key, permission: likewise
    REFUSED = "refused"  # this number, this message, this template: the others go
    OK = "ok"


FAILURES: Final = frozenset({Verdict.FAILED, Verdict.UNCERTAIN})
# What no later call can mend by itself.
HOPELESS: Final = frozenset({Verdict.ACCOUNT, Verdict.CREDENTIALS})

_BY_FAULT: Final[dict[Fault, Verdict]] = {
    Fault.PROVIDER: Verdict.FAILED,
    Fault.THROTTLED: Verdict.THROTTLED,
    Fault.ACCOUNT: Verdict.ACCOUNT,
    Fault.CREDENTIALS: Verdict.CREDENTIALS,
    Fault.RECIPIENT: Verdict.REFUSED,
    Fault.CONFIGURATION: Verdict.REFUSED,
    Fault.VARIABLES: Verdict.REFUSED,
    Fault.MESSAGE: Verdict.REFUSED,
    Fault.UNKNOWN: Verdict.REFUSED,
}


def verdict_of(result: Outcome | Trace) -> Verdict:
    """Judge a channel by how an attempt to send, or a question, ended."""
    match result:
        case Sent() | Known() | Unknown():
            return Verdict.OK
        case Unsent(fault=fault) | Refused(fault=fault) | NoAnswer(fault=fault):
            return _BY_FAULT[fault]
        case Uncertain():
            return Verdict.UNCERTAIN
        case _:
            assert_never(result)


def reason_of(result: Outcome | Trace) -> str:
    """Name what went wrong, '' where nothing did; a code or the name of an error, never what a provider wrote."""
    match result:
        case Unsent(reason=reason) | Refused(reason=reason) | Uncertain(reason=reason) | NoAnswer(reason=reason):
            return reason
        case Sent() | Known() | Unknown():
            return ""
        case _:
            assert_never(result)
