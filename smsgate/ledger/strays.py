"""Strays: what came out of a queue and is no message of ours, kept until an operator has looked at it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, cast

import redis
import structlog

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border

log = structlog.get_logger()

# The newest are kept. A program that fills a queue with rubbish must not fill Redis.
MOST_STRAYS: Final = 10_000


class StrayReason(StrEnum):
    """Why an entry could not be carried out."""

    NOT_JSON = "not_json"
    NO_CELERY_MESSAGE = "no_celery_message"
    NO_TASK = "no_task"
    UNKNOWN_TASK = "unknown_task"
    UNREADABLE_BODY = "unreadable_body"
    INVALID_TASK = "invalid_task"
    POISON = "poison"


@dataclass(frozen=True, slots=True)
class Stray:
    """One entry as it came; it may hold numbers and parameters, so only `entry` itself shows them.

    `at` in Unix milliseconds. Bytes of `entry` that are no UTF-8 are lone surrogates (`surrogateescape`).
    """

    id: str
    queue: str
    reason: str
    task_id: str | None
    at: int
    entry: str = field(repr=False)


class Strays:
    """The strays in one Redis."""

    def __init__(self, client: redis.Redis, most: int = MOST_STRAYS) -> None:
        self._redis = client
        self._most = most
        self._store = client.register_script(scripts.source("store_stray"))
        self._requeue = client.register_script(scripts.source("requeue_stray"))

    def store(self, stray: Stray) -> None:
        """Keep a stray; the same again (its answer was lost) changes nothing. A full Redis takes it too.

        Raises:
            StoreUnavailable: Nothing was written, or the answer was lost.
        """
        fields: dict[str, str | int] = {
            # Escaped, so that what is no UTF-8 can be kept and read as text.
            "entry": json.dumps(stray.entry),
            "queue": stray.queue,
            "reason": stray.reason,
            "task_id": stray.task_id or "",
            "at": stray.at,
        }
        flat = [part for pair in fields.items() for part in pair]
        with border():
            dropped = self._store(
                keys=[keys.stray(stray.id), keys.STRAYS],
                args=[stray.id, stray.at, keys.STRAY_TTL, self._most, keys.stray(""), *flat],
            )
        if dropped:
            log.warning("strays_dropped", number=int(dropped), most=self._most)

    def count_death(self, task_id: str) -> int:
        """Count a process that died with this task; returns how many did within a day."""
        with border():
            pipe = self._redis.pipeline()
            pipe.incr(keys.deaths(task_id))
            pipe.expire(keys.deaths(task_id), keys.DELIVERIES_TTL)
            return int(pipe.execute()[0])

    def newest(self, limit: int = 100) -> list[Stray]:
        """List strays, newest first."""
        with border():
            ids = cast("list[str]", self._redis.zrange(keys.STRAYS, 0, limit - 1, desc=True))
            known = (self.read(stray_id) for stray_id in ids)
            return [stray for stray in known if stray]

    def count(self) -> int:
        with border():
            return int(self._redis.zcard(keys.STRAYS))

    def read(self, stray_id: str) -> Stray | None:
        with border():
            known = cast("dict[str, str]", self._redis.hgetall(keys.stray(stray_id)))
        return _stray(stray_id, known) if known else None

    def requeue(self, stray_id: str) -> bool:
        """Put the very entry back onto its queue and forget the stray, both or neither; False when there is none.

        Raises:
            StoreUnavailable: Nothing was written, or the answer was lost.
        """
        stray = self.read(stray_id)
        if stray is None:
            return False
        with border():
            return bool(
                self._requeue(
                    keys=[keys.stray(stray_id), keys.STRAYS, stray.queue],
                    args=[stray_id, stray.entry.encode("utf-8", "surrogateescape")],
                )
            )

    def drop(self, stray_id: str) -> bool:
        """Forget a stray; False when there is none."""
        with border():
            # No transaction: a full Redis refuses every one, and this makes room.
            pipe = self._redis.pipeline(transaction=False)
            pipe.delete(keys.stray(stray_id))
            pipe.zrem(keys.STRAYS, stray_id)
            return bool(pipe.execute()[0])


def _stray(stray_id: str, known: Mapping[str, str]) -> Stray:
    return Stray(
        id=stray_id,
        queue=known["queue"],
        reason=known["reason"],
        task_id=known["task_id"] or None,
        at=int(known["at"]),
        entry=json.loads(known["entry"]),
    )
