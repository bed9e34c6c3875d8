"""Send once, fork four children that send at the same time, send once more; print who got whose answers."""

import json
import os
import sys
from collections.abc import Iterator

from smsgate.channels.aliyun import AliyunChannel, AliyunConfig
from smsgate.channels.channel import Submission
from smsgate.message import MessageId
from smsgate.outcome import Sent
from smsgate.phone import parse

channel = AliyunChannel(AliyunConfig(sys.argv[1], "http"))


def answered(message_id: str) -> bool:
    submission = Submission(MessageId(message_id), parse("13900000001"), "阿里云", "SMS_154950909", {"code": "918273"})
    return channel.send(submission) == Sent(f"biz-{message_id}")


def children(count: int) -> Iterator[int]:
    for child in range(count):
        pid = os.fork()
        if pid == 0:
            os._exit(sum(not answered(f"child-{child}-{n}") for n in range(50)))
        yield pid


before = answered("parent-before")
pids = list(children(4))
mismatched = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
print(json.dumps({"parent": before and answered("parent-after"), "children": mismatched}))  # noqa: T201 - its answer
