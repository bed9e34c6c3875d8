"""The outbox: tasks that are written with their records, and go from here to a broker that is not this Redis.

The lists are those in which tasks wait for workers where this Redis is the broker, so that whatever writes a record and
its task in one act does so here too. Whoever hands them on takes a parcel, publishes it and says so; what its death
leaves behind goes back when its lease is over. So a task reaches the broker at least once.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, cast
from uuid import uuid4

import redis

from smsgate.errors import StoreUnavailable
from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.ledger.envelope import unseal
from smsgate.queues import LANE_QUEUES, Queue

# Milliseconds within which a parcel is handed on: longer than whoever publishes goes on (see publisher.LONGEST).
LEASE: Final = 30_000
# Entries of one queue in a parcel. Each queue has its share, so that a million of one do not hold up another.
MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Posted:
    """A task on its way to the broker."""

    queue: str
    entry: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What somebody is handing on, the urgent and the oldest first."""

    token: str
    posted: Sequence[Posted]


class Outbox:
    """The outbox in one Redis."""

    def __init__(self, client: redis.Redis, *, lease: int = LEASE) -> None:
        """Take a connection, and the milliseconds after which what nobody says to be handed on goes back."""
        self._redis = client
        self._lease = lease
        self._take = client.register_script(scripts.source("take_parcel"))
        self._settle = client.register_script(scripts.source("settle_parcel"))
        self._note = client.register_script(scripts.source("note_at_broker"))

    def take(self, most: int = MOST) -> Parcel:
        """Take up to `most` entries of each queue.

        Raises:
            StoreUnavailable: Nothing was taken, or the answer was lost: then it goes back after a while.
        """
        token = uuid4().hex
        with border():
            flat = cast(
                "list[str]",
                self._take(keys=[keys.PARCELS, *Queue], args=[token, self._lease, most, keys.PARCEL_OF]),
            )
        return Parcel(token, [Posted(*pair) for pair in zip(flat[::2], flat[1::2], strict=True)])

    def handed_on(self, parcel: Parcel, left: Sequence[int] = (), refused: Sequence[int] = ()) -> None:
        """Forget a parcel; but put back what stands in it at the places `left`, and behind all others what was refused.

        Raises:
            StoreUnavailable: All of it goes back after a while, and is handed on once more.
        """
        self._queued_anew([parcel.posted[place] for place in refused])
        self._settled(parcel, [*(place + 1 for place in left), *(-place - 1 for place in refused)])

    def put_back(self, parcel: Parcel, *, but: Collection[int] = ()) -> None:
        """Put a parcel back, to be taken next, `but` what stands in it at these places."""
        self._settled(parcel, [place + 1 for place in range(len(parcel.posted)) if place not in but])

    def note_at_broker(self, counts: Mapping[Queue, int]) -> None:
        """Note how many tasks the broker holds, as far as it says so; it is believed for some seconds."""
        if not counts:
            return
        with border():
            self._note(
                keys=[keys.AT_BROKER],
                args=[keys.AT_BROKER_TTL, *(part for queue, count in counts.items() for part in (queue, count))],
            )

    def at_broker(self) -> dict[str, int]:
        """Tell how many tasks of each queue the broker holds, as far as that is known now."""
        with border():
            known = cast("dict[str, str]", self._redis.hgetall(keys.AT_BROKER))
        return {queue: int(count) for queue, count in known.items()}

    def waiting(self) -> int:
        """Count the tasks that have not been handed on, and those that are being."""
        with border():
            pipe = self._redis.pipeline(transaction=False)
            for queue in Queue:
                pipe.llen(queue)
            tokens = cast("list[str]", self._redis.zrange(keys.PARCELS, 0, -1))
            counts = sum(map(int, pipe.execute()))
            return counts + sum(int(self._redis.llen(keys.PARCEL_OF + token)) // 2 for token in tokens)

    def _queued_anew(self, refused: Sequence[Posted]) -> None:
        """Note that messages go behind what was queued meanwhile.

        The marks among that say nothing of them; by the time at which they were queued first the sweep would take each
        for lost, whenever a mark comes out, and queue it once more. A full Redis refuses this, and gets those.
        """
        now = int(time.time() * 1000)
        with suppress(StoreUnavailable), border():
            pipe = self._redis.pipeline(transaction=False)
            for one in refused:
                for lane in (lane for lane, queue in LANE_QUEUES.items() if queue == one.queue):
                    pipe.zadd(keys.waiting(lane), {_task_id(one.entry): now}, xx=True, gt=True)
            pipe.execute()

    def _settled(self, parcel: Parcel, places: Sequence[int]) -> None:
        with border():
            self._settle(
                keys=[keys.PARCELS, keys.PARCEL_OF + parcel.token, keys.AT_BROKER],
                args=[parcel.token, keys.AT_BROKER_TTL, *places],
            )


def _task_id(entry: str) -> str:
    try:
        named = str(unseal(entry).headers.get("id", ""))
    except ValueError:
        return ""
    # Half a surrogate pair is no text that Redis could be asked about.
    return named if named.isascii() else ""


def queued(client: redis.Redis, queue: Queue) -> int:
    """Count the tasks of a queue, here and at a broker of their own."""
    with border():
        pipe = client.pipeline(transaction=False)
        pipe.llen(queue)
        pipe.hget(keys.AT_BROKER, queue)
        here, there = pipe.execute()
    return int(here) + max(0, int(there or 0))
