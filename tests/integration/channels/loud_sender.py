"""Send with every log turned up, print each outcome, and die of an error that nobody catches.

Arguments: a host:port, then `host:port=message id` for each message to send, or a bare message id for the first host.
"""

import logging
import sys

from smsgate.channels.aliyun import AliyunChannel, AliyunConfig
from smsgate.channels.channel import Submission
from smsgate.message import MessageId
from smsgate.phone import parse

logging.basicConfig(level=logging.DEBUG)


def send(endpoint: str, message_id: str) -> None:
    channel = AliyunChannel(AliyunConfig(endpoint, "http", connect_timeout_ms=1_000, read_timeout_ms=300))
    submission = Submission(MessageId(message_id), parse("13900000001"), "阿里云", "SMS_154950909", {"code": "918273"})
    print("=>", message_id, channel.send(submission))  # noqa: T201 - its answer


for message in sys.argv[2:]:
    host, _, name = message.rpartition("=")
    send(host or sys.argv[1], name)
logging.getLogger(__name__).debug("a line that shows that logs are written")
raise RuntimeError("the end")
