"""RQ: `rq worker-pool sms --num-workers 8`; a process for each message in hand, as it has no threads."""

from collections.abc import Iterable

import sms
from redis import Redis
from rq import Queue, Retry


def send(number: int) -> None:
    """Send one code."""
    sms.send(number)


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one after the other; what a worker leaves behind may be tried again."""
    queue = Queue("sms", connection=Redis.from_url(sms.REDIS))
    for number in numbers:
        queue.enqueue(send, number, result_ttl=0, retry=Retry(max=3))
