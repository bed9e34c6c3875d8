"""Send with every log turned up, print each outcome, and die of an error that nobody catches.

Arguments: the provider, a host:port, then `host:port=message id` for each message to send, or a bare message id for
the first host.
"""

import logging
import sys

from tests.integration.channels.contract import PROVIDERS

logging.basicConfig(level=logging.DEBUG)
provider = PROVIDERS[sys.argv[1]]


def send(endpoint: str, message_id: str) -> None:
    channel = provider.channel(endpoint, connect_timeout_ms=1_000, read_timeout_ms=300)
    print("=>", message_id, channel.send(provider.submission(message_id)))  # noqa: T201 - its answer


for message in sys.argv[3:]:
    host, _, name = message.rpartition("=")
    send(host or sys.argv[2], name)
logging.getLogger(__name__).debug("a line that shows that logs are written")
raise RuntimeError("the end")
