"""When somebody must look after which message, and where a queued one waits.

Every open message stands in an index by the time at which it needs a look: in `sms:due:LANE` while it is queued or
being sent, in `sms:uncertain` and `sms:silent` while only its provider can say more. One with a task in its lane's
queue stands in `sms:waiting:LANE` too, by since when. So whatever was lost with a worker or a refused publish is found
by its age, at the cost of a range over a sorted set, however many messages there are.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.ledger.handing import Handed, Handing
from smsgate.ledger.outbox import queued
from smsgate.ledger.record import Record
from smsgate.ledger.slots import NOWHERE, Slot
from smsgate.message import Lane, MessageId
from smsgate.queues import LANE_QUEUES, Queue
from smsgate.states import State

# How many of a queue's oldest entries are looked at to learn how far it has been worked off. Tasks that take chunks
# tell nothing, and 64 of them may stand there (see groups.py).
_OLDEST: Final = 150


class Placed(StrEnum):
    """What came of placing a message."""

    PLACED = "placed"
    CHANGED = "changed"  # somebody was faster
    GONE = "gone"  # it is not queued any more


@dataclass(frozen=True, slots=True)
class Entry:
    """A message in one of the indexes, with the time under which it stands there (Unix milliseconds)."""

    id: MessageId
    score: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a message was seen: it is placed elsewhere only if it still stands there."""

    index: str
    score: int


class Schedule:
    """The indexes over the records in one Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._place = client.register_script(scripts.source("place"))
        self._hand = Handing(client)
        self._ask_again = client.register_script(scripts.source("ask_again"))
        self._restore = client.register_script(scripts.source("restore"))

    def due(self, lane: Lane, now: int, limit: int) -> list[Entry]:
        """List what needs a look in a lane at `now`, the longest overdue first."""
        return self._range(keys.due(lane), now, limit)

    def waiting(self, lane: Lane, until: int, limit: int) -> list[Entry]:
        """List messages whose task has been in the lane's queue since `until` or before."""
        return self._range(keys.waiting(lane), until, limit)

    def parked(self, lane: Lane, limit: int) -> list[Entry]:
        """List messages of a paused lane, the longest parked first."""
        return self._range(keys.parked(lane), None, limit)

    def counts(self, lane: Lane) -> tuple[int, int]:
        """Count the tasks in the lane's queue, and its parked messages."""
        with border():
            parked = int(self._redis.zcard(keys.parked(lane)))
        return queued(self._redis, LANE_QUEUES[lane]), parked

    def worked_off(self, lane: Lane, now: int) -> int | None:
        """Tell up to when (Unix milliseconds) every task of a lane has left its queue; None where that is not known.

        A queue is worked off in the order in which it was filled, so its oldest task tells. One that waits for its
        time, or that somebody else put there, tells nothing, and the next is asked.
        """
        with border():
            oldest = cast("list[str]", self._redis.lrange(LANE_QUEUES[lane], -_OLDEST, -1))
            if not oldest:
                return now
            ids = [found for found in map(_task_id, reversed(oldest)) if found]
            scores = self._redis.zmscore(keys.waiting(lane), ids) if ids else []
        return next((int(score) - 1 for score in scores if score is not None), None)

    def in_queue(
        self, record: Record, *, since: int, slot: Slot | None, seen: Seen | None = None, **fields: str | int
    ) -> Placed:
        """Have a message wait for a worker, or with None note that somebody else queues it; `since` may lie ahead."""
        return self._placed(record, seen, due=record.valid_until, since=since, slot=slot, fields=fields)

    def until(self, record: Record, at: int, *, seen: Seen | None = None) -> Placed:
        """Keep a message out of its queue until `at`, or until it expires."""
        due = min(at, record.valid_until)
        return self._placed(record, seen, due=due, fields={"not_before": at})

    def park(self, record: Record, *, now: int) -> Placed:
        """Keep a message out of its queue for as long as its lane is paused, or until it expires."""
        return self._placed(record, None, due=record.valid_until, parked=now)

    def questions(self, index: str, now: int, limit: int) -> list[Entry]:
        """List the messages of `keys.UNCERTAIN` or `keys.SILENT` that a provider should be asked about at `now`."""
        return self._range(index, now, limit)

    def hand_question(self, index: str, entry: Entry, *, again: int, task: str, most: int) -> Handed:
        """Queue the task that asks about a message, while fewer than `most` wait; again at `again` if it is lost."""
        return self._hand(index, entry.id, entry.score, again, queue=Queue.QUESTIONS, task=task, most=most)

    def ask_again(self, record: Record, at: int, *, asks: int) -> None:
        """Ask about a message again at `at`, after `asks` times in vain; for one that stays in its state."""
        index = keys.UNCERTAIN if record.state is State.UNCERTAIN else keys.SILENT
        with border():
            self._ask_again(keys=[keys.record(record.id), index], args=[record.id, at, asks])

    def restore(self, message_ids: Sequence[MessageId], now: int) -> int:
        """Put messages into the indexes in which their states belong, due at `now`; returns how many were in none."""
        with border():
            pipe = self._redis.pipeline(transaction=False)
            for message_id in message_ids:
                self._restore(
                    keys=[
                        *(keys.record(message_id), keys.DEAD, keys.UNCERTAIN, keys.SILENT),
                        *(keys.due(lane) for lane in Lane),
                    ],
                    args=[message_id, now, keys.DUE_IN],
                    client=pipe,
                )
            return sum(pipe.execute())

    def next_of_round(self, count: int) -> list[MessageId]:
        """Name some messages (about `count`), each time the next of a round over all that there are."""
        with border():
            begin = int(self._redis.get(keys.ROUND) or 0)
            after, found = self._redis.scan(begin, match=keys.record(MessageId("*")), count=count)
            self._redis.set(keys.ROUND, after)
        prefix = len(keys.record(MessageId("")))
        return [MessageId(name[prefix:]) for name in cast("list[str]", found)]

    def put_off(self, index: str, message_id: MessageId, at: int) -> None:
        """Look again at `at` after what cannot be read now, so that it does not stand before all others."""
        with border():
            self._redis.zadd(index, {message_id: at}, xx=True)

    def forget_waiting(self, lane: Lane, message_id: MessageId) -> None:
        self._drop(keys.waiting(lane), message_id)

    def forget_parked(self, lane: Lane, message_id: MessageId) -> None:
        self._drop(keys.parked(lane), message_id)

    def _drop(self, key: str, message_id: MessageId) -> None:
        with border():
            self._redis.zrem(key, message_id)

    def _range(self, key: str, until: int | None, limit: int) -> list[Entry]:
        with border():
            found = self._redis.zrangebyscore(
                key, "-inf", "+inf" if until is None else until, 0, limit, withscores=True
            )
        return [Entry(MessageId(name), int(score)) for name, score in cast("Sequence[tuple[str, float]]", found)]

    def _placed(  # noqa: PLR0913 - the three places of a queued message
        self,
        record: Record,
        seen: Seen | None,
        *,
        due: int,
        since: int | None = None,
        parked: int | None = None,
        slot: Slot | None = None,
        fields: Mapping[str, str | int] | None = None,
    ) -> Placed:
        flat = [part for pair in (fields or {}).items() for part in pair]
        place = slot or NOWHERE
        with border():
            answer = self._place(
                keys=[
                    *(
                        keys.record(record.id),
                        keys.due(record.lane),
                        keys.waiting(record.lane),
                        keys.parked(record.lane),
                    ),
                    *(place.key, place.groups),
                ],
                args=[
                    *(record.id, seen.index if seen else "", seen.score if seen else "", due),
                    *("" if since is None or place.group else since, "" if parked is None else parked, place.entry),
                    *(place.group, since or 0, keys.GROUP_TTL, *flat),
                ],
            )
        return Placed(answer)


def _task_id(entry: str) -> str | None:
    """Name the task of a queue's entry; None for one that waits for its time, or is no task."""
    try:
        headers = json.loads(entry)["headers"]
        named = None if headers.get("eta") else str(headers["id"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    # Half a surrogate pair is no text that Redis could be asked about.
    return named if named and named.isascii() else None
