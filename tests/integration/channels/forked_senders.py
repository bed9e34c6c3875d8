"""Send once, fork four children that send at the same time, send once more; print who got whose answers.

Arguments: the provider, and a host:port.
"""

import json
import os
import sys
from collections.abc import Iterator

from smsgate.outcome import Sent
from tests.integration.channels.contract import PROVIDERS

provider = PROVIDERS[sys.argv[1]]
channel = provider.channel(sys.argv[2])


def answered(message_id: str) -> bool:
    return channel.send(provider.submission(message_id)) == Sent(f"biz-{message_id}")


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
