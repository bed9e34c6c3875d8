"""The messages that leave together: they wait in Redis, and a worker takes a chunk of them, slice by slice.

Nothing waits in a worker's memory, so none of its ends loses or delays anything. The tasks that make workers take are
all the same, and name no group: one that is lost is made up for by the next, and one too many finds nothing to take.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast
from uuid import uuid4

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.act import Act
from smsgate.ledger.connection import border
from smsgate.ledger.envelope import seal
from smsgate.ledger.outbox import queued
from smsgate.ledger.record import Claim
from smsgate.ledger.turns import AT_ONCE, in_turn
from smsgate.message import Lane, MessageId
from smsgate.queues import LANE_QUEUES, TaskName

# Tasks in a lane's queue with which as many workers take chunks side by side; each queues the next while there is more.
MOST_TASKS: Final = 64
# So many where other tasks fill the queue, and the seconds after which those count as lost.
MOST_AMONG_OTHERS: Final = 8
AHEAD: Final = 300
# Groups of paused clients and templates that are looked at in one go.
MOST_RETURNED: Final = 500


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a worker has taken: the messages that it has claimed, and those for it to end."""

    id: str
    claimed: Sequence[MessageId]
    expired: Sequence[MessageId] = ()
    spent: Sequence[MessageId] = ()  # no attempt is left to them
    cancelled: Sequence[MessageId] = ()  # their batch is


class Groups:
    """The groups in one Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._take = Act(client, "take_chunk")
        self._ready = Act(client, "chunks_ready")
        self._return = Act(client, "return_groups")
        self._push = client.register_script(scripts.source("push"))

    def take(self, lane: Lane, chunk_id: str, claim: Claim, *, most: int) -> Chunk:
        """Take up to `most` messages of the group that could have been taken for the longest.

        Raises:
            StoreUnavailable: Nothing was taken, or what was is found by its lease.
        """
        ended: tuple[list[MessageId], ...] = ([], [], [])
        claimed: Sequence[MessageId] = ()
        group = ""
        for goal in (*range(AT_ONCE, most, AT_ONCE), most):
            group, claimed, *others = self._slice(lane, chunk_id, claim, (goal, most, group))
            for ids, more in zip(ended, others, strict=True):
                ids.extend(more)
            if not group:
                break
        return Chunk(chunk_id, claimed, *ended)

    def _slice(
        self, lane: Lane, chunk_id: str, claim: Claim, which: tuple[int, int, str]
    ) -> tuple[str, list[MessageId], list[MessageId], list[MessageId], list[MessageId]]:
        with border(), in_turn():
            found = self._take(
                keys=[
                    *(keys.groups(lane), LANE_QUEUES[lane], keys.due(lane), keys.chunk(chunk_id), keys.AT_BROKER),
                    *(keys.ahead(lane), keys.PAUSES_OF, keys.groups_aside(lane)),
                ],
                args=[
                    *(claim.at, chunk_id, keys.CHUNK_TTL, claim.lease, claim.channels[0], keys.OPEN_RECORD_TTL),
                    *(keys.RECORD_OF, keys.BATCH_OF, keys.group(lane), claim.attempts),
                    *(task(lane), MOST_TASKS, *which),
                ],
            )
        return cast("tuple[str, list[MessageId], list[MessageId], list[MessageId], list[MessageId]]", tuple(found))

    def fill(self, lane: Lane, now: int, *, most: int = MOST_TASKS) -> int:
        """Queue a task for each chunk that may be taken, until `most` wait in the queue; returns how many.

        Raises:
            StoreUnavailable: The next call makes up for it.
        """
        with border():
            ready = int(
                self._ready(
                    keys=[
                        *(keys.groups(lane), LANE_QUEUES[lane], keys.AT_BROKER, keys.ahead(lane)),
                        *(keys.PAUSES_OF, keys.groups_aside(lane)),
                    ],
                    args=[
                        *(now, most, keys.group(lane), keys.BATCH_OF),
                        *(min(most, MOST_AMONG_OTHERS), AHEAD, TaskName.SEND_CHUNK),
                    ],
                )
            )
            if ready:
                self._push(keys=[LANE_QUEUES[lane]], args=[task(lane) for _ in range(ready)])
        return ready

    def return_from_aside(self, lane: Lane, now: int) -> int:
        """Let groups be taken again whose client and template are paused no more; returns how many.

        Raises:
            StoreUnavailable: The next call makes up for it.
        """
        with border():
            return int(
                self._return(
                    keys=[keys.groups_aside(lane), keys.groups(lane), keys.PAUSES_OF],
                    args=[now, keys.BATCH_OF, MOST_RETURNED],
                )
            )

    def left(self, lane: Lane) -> None:
        """Note that a task that takes chunks was worked off and took none: the next few may follow it.

        Raises:
            StoreUnavailable: They follow when those that were queued ahead count as lost.
        """
        with border():
            self._redis.delete(keys.ahead(lane))

    def offer(self, lane: Lane) -> None:
        """Queue a task that takes a chunk, unless there are enough of them.

        Raises:
            StoreUnavailable: The chunk is found by `fill`.
        """
        if queued(self._redis, LANE_QUEUES[lane]) < MOST_TASKS:
            with border():
                self._redis.lpush(LANE_QUEUES[lane], task(lane))

    def messages_of(self, chunks: Sequence[tuple[str, str]]) -> list[MessageId | None]:
        """Name the message to a number (without `+`, the mainland's bare) in a chunk, for each pair of both."""
        with border():
            pipe = self._redis.pipeline(transaction=False)
            for chunk_id, number in chunks:
                pipe.hget(keys.chunk(chunk_id), number)
            return cast("list[MessageId | None]", pipe.execute())


def task(lane: Lane) -> str:
    """Write the Celery message that has a chunk of a lane taken."""
    return seal(TaskName.SEND_CHUNK, str(uuid4()), LANE_QUEUES[lane], [lane], {}, shown_args=repr((str(lane),)))
