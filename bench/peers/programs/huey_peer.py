"""Huey: `huey_consumer huey_peer.huey --worker-type thread --workers 8`."""

from collections.abc import Iterable

import sms
from huey import RedisHuey

huey = RedisHuey("sms", url=sms.REDIS, results=False)


@huey.task(retries=3)
def send(number: int) -> None:
    """Send one code."""
    sms.send(number)


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one after the other."""
    for number in numbers:
        send(number)
