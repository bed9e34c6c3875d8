"""Arq: `arq arq_peer.WorkerSettings`."""

import asyncio
import os
from collections.abc import Iterable
from typing import Any

import sms
from arq import create_pool
from arq.connections import RedisSettings

_REDIS = RedisSettings.from_dsn(sms.REDIS)


async def send(_context: dict[Any, Any], number: int) -> None:
    """Send one code."""
    await sms.send_async(number)


class WorkerSettings:
    """How the worker runs."""

    functions = (send,)
    redis_settings = _REDIS
    max_jobs = sms.THREADS
    # So often, in seconds, it takes up to `max_jobs`; the default is half a second.
    poll_delay = float(os.environ.get("PEER_POLL_DELAY", "0.5"))
    # Nobody reads the results.
    keep_result = 0
    # A killed worker's jobs are free again ten seconds after this; five minutes by default.
    job_timeout = sms.PATIENCE or 300


def enqueue(numbers: Iterable[int]) -> None:
    """Enqueue one after the other."""
    asyncio.run(_enqueue(numbers))


async def _enqueue(numbers: Iterable[int]) -> None:
    pool = await create_pool(_REDIS)
    for number in numbers:
        await pool.enqueue_job("send", number)
    await pool.aclose()
