"""Ask for a message as often as told, with every log turned up, and die of an error that nobody catches.

Arguments: a host:port, and how many times to ask there.
"""

import logging
import sys
import time

from smsgate.channels.aliyun import AliyunChannel, AliyunConfig
from smsgate.channels.channel import Inquiry
from smsgate.message import MessageId
from smsgate.phone import parse

logging.basicConfig(level=logging.DEBUG)
channel = AliyunChannel(AliyunConfig(sys.argv[1], "http", connect_timeout_ms=1_000, read_timeout_ms=300))
# Noon of yesterday in Shanghai: whatever the hour now, one call a question.
noon = (int(time.time() + 28_800) // 86_400 * 86_400 - 72_000) * 1000
inquiry = Inquiry(MessageId("m-1"), parse("13900000001"), noon, noon)

for _ in range(int(sys.argv[2])):
    print("=>", inquiry, channel.find(inquiry))  # noqa: T201 - its answer
logging.getLogger(__name__).debug("a line that shows that logs are written")
raise RuntimeError("the end")
