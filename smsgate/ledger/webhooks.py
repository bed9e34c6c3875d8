"""The outbox of client webhooks: which are due, and who has them.

The move into a resting state puts the message id into `sms:webhooks` in the same atomic act, so no end of a message is
without its webhook. The score is the Unix ms at which it is due and, at the same time, the mark of who has it: each
step below gives a new score, and only whoever knows the present one may take the next step. So a lost task is found
again when its lease runs out, and a task that was queued twice posts once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast
from uuid import uuid4

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.ledger.envelope import seal
from smsgate.ledger.handing import Handed, Handing
from smsgate.message import MessageId
from smsgate.queues import Queue, TaskName

# Most tasks that wait in the queue: with every endpoint slow (5 s) and 32 threads, 80 s' work, within their lease.
# Where it takes longer, tasks whose leases have run out are dropped at once, and others have been queued for them.
MOST_QUEUED: Final = 500


@dataclass(frozen=True, slots=True)
class Due:
    """A webhook as it was seen or is held: `at` is its score, in Unix milliseconds."""

    id: MessageId
    at: int


class Webhooks:
    """The outbox in one Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._hand = Handing(client)
        self._postpone = client.register_script(scripts.source("postpone_webhook"))
        self._finish = client.register_script(scripts.source("finish_webhook"))

    def due(self, now: int, *, limit: int) -> Sequence[Due]:
        """List what is due at `now` (Unix milliseconds), the longest due first."""
        with border():
            found = self._redis.zrangebyscore(keys.WEBHOOKS, "-inf", now, 0, limit, withscores=True)
        return [Due(MessageId(one), int(score)) for one, score in cast("list[tuple[str, float]]", found)]

    def lease(self, seen: Due, until: int, *, most_queued: int = MOST_QUEUED) -> Handed:
        """Queue the task of a webhook, which is its own until `until` (Unix milliseconds)."""
        task = _task(Due(seen.id, until))
        return self._hand(keys.WEBHOOKS, seen.id, seen.at, until, queue=Queue.WEBHOOKS, task=task, most=most_queued)

    def hold(self, leased: Due, until: int) -> Due | None:
        """Take a leased webhook in hand until `until`; None when it is no longer this task's."""
        return Due(leased.id, until) if self._moved(leased, until, "") else None

    def again(self, held: Due, at: int, *, event: int | None = None) -> bool:
        """Make a webhook due again at `at`; with `event`, count an attempt for it. False when it is no longer ours."""
        return self._moved(held, at, "" if event is None else str(event))

    def done(self, held: Due) -> bool:
        """Forget a webhook. False when it is no longer ours: it is due anew, or somebody else has it."""
        with border():
            return bool(
                self._finish(keys=[keys.WEBHOOKS, keys.webhook_attempts(held.id)], args=[held.id, held.at]),
            )

    def attempts(self, message_id: MessageId, event: int) -> int:
        """Count the attempts made so far to tell of the message's event of this number."""
        with border():
            return int(cast("str | None", self._redis.hget(keys.webhook_attempts(message_id), str(event))) or 0)

    def _moved(self, known: Due, at: int, event: str) -> bool:
        with border():
            return bool(
                self._postpone(
                    keys=[keys.WEBHOOKS, keys.webhook_attempts(known.id)],
                    args=[known.id, known.at, at, event, keys.WEBHOOK_TTL],
                )
            )


def _task(leased: Due) -> str:
    args = [leased.id, leased.at]
    return seal(TaskName.NOTIFY, str(uuid4()), Queue.WEBHOOKS, args, {}, shown_args=repr(tuple(args)))
