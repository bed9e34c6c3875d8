"""The reference design: LPUSH, and threads that BRPOP; five attempts, then a list of dead letters."""

import json
import threading
import time
from collections.abc import Iterable

import sms
from redis import Redis

_ATTEMPTS = 5


def enqueue(numbers: Iterable[int]) -> None:
    """Push one after the other."""
    redis = Redis.from_url(sms.REDIS)
    for number in numbers:
        redis.lpush("sms", json.dumps({"number": number}))


def work() -> None:
    """Take, send, take the next."""
    redis = Redis.from_url(sms.REDIS)
    while True:
        taken = redis.brpop("sms", timeout=1)
        if taken:
            _send(redis, json.loads(taken[1]))


def _send(redis: Redis, message: dict[str, int]) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            sms.send(message["number"])
        except Exception:  # noqa: BLE001 - whatever it was, it is tried again
            time.sleep(2**attempt)
        else:
            return
    redis.lpush("sms:dead", json.dumps(message))


if __name__ == "__main__":
    for _ in range(sms.THREADS):
        threading.Thread(target=work).start()
