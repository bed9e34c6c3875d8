"""What workers have taken off the queues and not acknowledged: Celery's own two keys, written so that none is lost.

Celery writes them in transactions, and a full Redis refuses every command inside one, even those that make room.
"""

import json
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, cast

import redis
from uuid_utils import uuid7

from smsgate.ledger import scripts
from smsgate.ledger.connection import border
from smsgate.ledger.strays import Stray, StrayReason, Strays

# At once, of what dead workers left behind.
MOST_OVERDUE: Final = 100
# Where a stray that was no entry of a queue goes when it is requeued: nobody takes it from there.
UNREADABLE: Final = "sms.unreadable"


class Return(StrEnum):
    """What became of an entry that was given back; FULL: it is back, in a Redis that accepts no more."""

    GONE = "gone"
    BACK = "back"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Taken:
    """An entry that has left its queue, with its tag.

    `at` is when it did, in Unix seconds: what is taken with it is known by that.
    """

    tag: str
    text: str = field(repr=False)
    at: float = field(default_factory=time.time, compare=False)


class Unacked:
    """What is unacknowledged in one Redis. Every method raises StoreUnavailable and may be called again."""

    def __init__(self, client: redis.Redis, index_key: str, entries_key: str, strays: Strays | None = None) -> None:
        """Take a connection, Celery's two keys, and where to keep what is no note of a worker's."""
        self._redis = client
        self._strays = strays or Strays(client)
        self._keys: Final = [index_key, entries_key]
        self._note = client.register_script(scripts.source("note_unacked"))
        self._take = client.register_script(scripts.source("take_tasks"))
        self._give_back = client.register_script(scripts.source("give_back"))

    def note(self, tag: str, message: dict[str, Any], queue: str) -> None:
        """Note that a worker has taken this message off this queue."""
        # As Celery's own workers note it; without an exchange they too give it back to where it came from.
        entry = json.dumps([message, "", queue])
        with border():
            self._note(keys=self._keys, args=[tag, time.time(), entry])

    def take(self, first: Taken, queue: str, key: str, most: int) -> list[Taken]:
        """Note that a worker has taken `first`, and take up to `most` more that are next on its queue, in one act.

        `key` is where the queue's entries are; one without a tag ends it, and is left where it is. When an answer was
        lost, the same `first` gets the same again.
        """
        with border():
            flat = self._take(
                keys=[*self._keys, key], args=[first.at, json.dumps(queue), most, first.tag, _bytes(first.text)]
            )
        texts = [as_text(one) for one in flat]
        return [Taken(tag, text) for tag, text in zip(texts[::2], texts[1::2], strict=True)]

    def forget(self, *tags: str) -> None:
        """Acknowledge."""
        index_key, entries_key = self._keys
        with border():
            # Interrupted between the two, the index names an entry that is gone, and whoever looks drops the name.
            pipe = self._redis.pipeline(transaction=False)
            pipe.hdel(entries_key, *tags)
            pipe.zrem(index_key, *tags)
            pipe.execute()

    def give_back(self, tag: str, *, last: bool, taken_before: float | None = None) -> Return:
        """Put an entry back onto its queue, to be taken next or `last`.

        With `taken_before` (Unix seconds), only if nobody has taken it since.
        """
        with border():
            held = cast("bytes | None", self._redis.hget(self._keys[1], tag))
        try:
            message, queue = _marked(held) if held else ({}, "")
        except (ValueError, TypeError, AttributeError):
            return self._set_aside(tag, held or b"")
        with border():
            answer = self._give_back(
                keys=[*self._keys, queue],
                args=[tag, json.dumps(message), "LPUSH" if last else "RPUSH", taken_before or ""],
            )
        return Return(answer.decode() if isinstance(answer, bytes) else answer)

    def _set_aside(self, tag: str, held: bytes) -> Return:
        """Keep what is no note of a worker's as a stray: it must not stand before all that is."""
        now = int(time.time() * 1000)
        self._strays.store(Stray(str(uuid7()), UNREADABLE, StrayReason.NO_CELERY_MESSAGE, None, now, as_text(held)))
        self.forget(tag)
        return Return.GONE

    def overdue(self, before: float) -> list[str]:
        """Name what was taken before this (Unix seconds) and is not acknowledged, oldest first."""
        with border():
            tags = self._redis.zrange(self._keys[0], "-inf", before, byscore=True, offset=0, num=MOST_OVERDUE)
        return [tag.decode() if isinstance(tag, bytes) else str(tag) for tag in cast("list[Any]", tags)]


def as_text(value: bytes | str) -> str:
    """Read an entry's bytes so that they can be written again, whatever they are."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _marked(held: bytes) -> tuple[dict[str, Any], str]:
    """Read a note, and mark its message as one that comes again."""
    message, exchange, queue = json.loads(held)
    if isinstance(message.get("headers"), dict):
        message["headers"]["redelivered"] = True
    info = message.get("properties", {}).get("delivery_info")
    if isinstance(info, dict):
        info["redelivered"] = True
    return message, str(queue or exchange)
