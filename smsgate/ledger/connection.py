"""Connections to Redis, with the time limits that its defaults leave out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis
from redis.backoff import ConstantBackoff, ExponentialBackoff
from redis.retry import Retry

from smsgate.errors import StoreUnavailable

# Seconds. A Redis on the same network answers within milliseconds; without a limit a black hole hangs for ever.
CONNECT_TIMEOUT: Final = 1.0
ANSWER_TIMEOUT: Final = 2.0
# What a full Redis answers.
Full: Final = redis.exceptions.OutOfMemoryError
# For how long a worker tries. With a provider's call (13 s) and what Celery waits for a silent broker at its end (14 s)
# it stays below the 45 s that a worker gets to end; a Redis that is restarted or failed over is back within it.
PATIENCE: Final = 15.0


class _UntilLate(Retry):
    """Tries whose number is bounded by time: a Redis that is silent costs 2 s a try, one that refuses none.

    What it holds no thread changes, so that a call knows its own end.
    """

    def call_with_retry(self, do: Callable[[], Any], fail: Callable[..., Any], *more: Any, **named: Any) -> Any:
        late = time.monotonic() + PATIENCE - ANSWER_TIMEOUT

        def fail_when_late(error: Exception, *count: int) -> None:
            fail(error, *count)
            if time.monotonic() > late:
                raise error

        return super().call_with_retry(do, fail_when_late, *more, **named)


def connect_briefly(url: str) -> redis.Redis:
    """Connect for a caller who waits: one quick second try (for a connection that Redis closed), then an error."""
    return _connect(url, Retry(ConstantBackoff(0.01), 1))


def connect_patiently(url: str) -> redis.Redis:
    """Connect for a worker: what it has to write down must outlast a restart of Redis.

    It gives up after some `PATIENCE` seconds; what there was to write down is found by the schedule then.
    """
    return _connect(url, _UntilLate(ExponentialBackoff(cap=2.0, base=0.05), -1))


def _connect(url: str, retry: Retry) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        # Anybody may have put into a queue what is no UTF-8; whoever looks there goes on.
        encoding_errors="surrogateescape",
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
