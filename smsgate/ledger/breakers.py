"""Where the circuit breakers of webhook endpoints keep their state, so that all workers know what one has found out."""

from collections.abc import Callable
from typing import Any, cast

import pybreaker
import redis

from smsgate.ledger import keys
from smsgate.ledger.connection import border


class _Lapsing:
    """As much of a Redis client as pybreaker's storage uses, with a life for each key.

    pybreaker gives its keys none, and anybody who sends a message may name one more endpoint. It wants bytes, too.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def get(self, key: str) -> bytes | None:
        known = cast("str | None", self._redis.get(key))
        return None if known is None else known.encode()

    def set(self, key: str, value: Any) -> Any:
        return self._redis.set(key, value, ex=keys.BREAKER_TTL)

    def setnx(self, key: str, value: Any) -> Any:
        return self._redis.set(key, value, nx=True, ex=keys.BREAKER_TTL)

    def incr(self, key: str) -> Any:
        pipe = self._redis.pipeline()
        pipe.incr(key)
        pipe.expire(key, keys.BREAKER_TTL)
        return pipe.execute()[0]


def breaker_storage(client: redis.Redis) -> Callable[[str], pybreaker.CircuitBreakerStorage]:
    """Give what makes the storage of one endpoint's breaker.

    `client` should give up early: a breaker that cannot be asked counts as closed, and nothing should wait for it.
    """

    def storage(endpoint: str) -> pybreaker.CircuitBreakerStorage:
        with border():
            return pybreaker.CircuitRedisStorage(
                pybreaker.STATE_CLOSED,
                cast("redis.Redis", _Lapsing(client)),
                namespace=keys.breaker(endpoint),
                cluster_mode=True,  # single commands, no transaction: those `_Lapsing` has
            )

    return storage
