"""Taskiq with taskiq-redis: `taskiq worker taskiq_peer:broker --workers 1 --max-async-tasks 8`.

The broker on streams, since its documentation says that the one on lists loses messages.
"""

import asyncio
from collections.abc import Iterable

import sms
from taskiq_redis import RedisStreamBroker

# Without a limit a worker that is killed while it looks for others' messages holds the lock for it for ever.
PATIENT = {"idle_timeout": sms.PATIENCE * 1000, "unacknowledged_lock_timeout": sms.PATIENCE} if sms.PATIENCE else {}
broker = RedisStreamBroker(url=sms.REDIS, **PATIENT)


@broker.task
async def send(number: int) -> None:
    """Send one code."""
    await sms.send_async(number)


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one after the other."""
    asyncio.run(_enqueue(numbers))


async def _enqueue(numbers: Iterable[int]) -> None:
    await broker.startup()
    for number in numbers:
        await send.kiq(number)
    await broker.shutdown()
