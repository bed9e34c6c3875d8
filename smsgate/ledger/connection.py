"""Connections to Redis, with the time limits that its defaults leave out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import redis
from redis.backoff import ConstantBackoff, ExponentialBackoff
from redis.retry import Retry

from smsgate.errors import StoreUnavailable

# Seconds. A Redis on the same network answers within milliseconds; without a limit a black hole hangs for ever.
CONNECT_TIMEOUT: Final = 1.0
ANSWER_TIMEOUT: Final = 2.0


def connect_briefly(url: str) -> redis.Redis:
    """Connect for a caller who waits: one quick second try (for a connection that Redis closed), then an error."""
    return _connect(url, Retry(ConstantBackoff(0.01), 1))


def connect_patiently(url: str) -> redis.Redis:
    """Connect for a worker: what it has to write down must outlast a restart of Redis.

    About 20 s of tries where connections are refused; about a minute where Redis is silent, which a task's own limits
    cut short: what it had to write down is found by the schedule then.
    """
    return _connect(url, Retry(ExponentialBackoff(cap=2.0, base=0.05), 15))


def _connect(url: str, retry: Retry) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=CONNECT_TIMEOUT,
        socket_timeout=ANSWER_TIMEOUT,
        socket_keepalive=True,
        retry=retry,
    )


@contextmanager
def border() -> Iterator[None]:
    """Turn the driver's errors into ours.

    Raises:
        StoreUnavailable: Redis cannot be reached, did not answer in time, or refuses to write.
    """
    try:
        yield
    except redis.RedisError as error:
        raise StoreUnavailable(f"Redis: {type(error).__name__}; check SMSGATE_REDIS_URL and the server") from error
