"""The records in Redis, and the only way in which they change."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from uuid import uuid4

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.ledger.record import Acceptance, Event, Idempotency, Move, Record, Result, Taken
from smsgate.message import MessageId
from smsgate.queues import LANE_QUEUES, Queue
from smsgate.states import FINAL, State, predecessors

__all__ = ["Acceptance", "Event", "Idempotency", "Move", "Record", "Records", "Result", "Taken"]

_UNREADABLE: Final = (ValueError, KeyError, TypeError)
# In which index a message stands in each state in which it does not rest.
INDEXES: Final[dict[State, str]] = {
    State.QUEUED: "due",
    State.SENDING: "due",
    State.UNCERTAIN: "uncertain",
    State.SENT: "silent",
}
# Milliseconds after which somebody looks after an open message for which no other time was named: nothing is ever
# left alone.
LOOK_AGAIN: Final = 60_000


class Records:
    """The records in one Redis."""

    def __init__(self, client: redis.Redis, *, retention: int) -> None:
        """Take a connection and how many seconds a record is kept after its end."""
        self._redis = client
        self._retention = retention
        self._accept = client.register_script(scripts.source("accept"))
        self._move = client.register_script(scripts.source("move"))
        self._forget = client.register_script(scripts.source("forget"))
        self._take = client.register_script(scripts.source("take"))

    def accept(
        self, record: Record, task: str | None, idempotency: Idempotency | None = None
    ) -> tuple[Acceptance, MessageId]:
        """Write the record and its Celery message in one act.

        Without `task` the record alone is written, for a task that somebody else publishes or has published; a message
        with a time to send gets its task when that time has come. A record that is there already, or an idempotency
        key used before, is answered with the first one's id.

        Raises:
            StoreUnavailable: Nothing was written, or the answer was lost; the same call may be made again.
        """
        scheduled = record.not_before > record.accepted_at
        queued = record.state is State.QUEUED
        claim = keys.idempotency(record.client, idempotency.key if idempotency else "")
        claim_ttl = keys.IDEMPOTENCY_TTL + max(0, record.not_before - record.accepted_at) // 1000
        due = min(record.not_before, record.valid_until) if scheduled else record.valid_until
        with border():
            answer, message_id = self._accept(
                keys=[
                    *(keys.record(record.id), LANE_QUEUES[record.lane], claim),
                    *(keys.due(record.lane), keys.waiting(record.lane)),
                ],
                args=[
                    *(record.id, "" if scheduled else task or "", self._ttl(record.state)),
                    *(idempotency.fingerprint if idempotency else "", claim_ttl),
                    due if queued else "",
                    record.accepted_at if queued and not scheduled else "",
                    *_flat(record.fields()),
                ],
            )
        return Acceptance(answer), MessageId(message_id)

    def ping(self) -> None:
        """Ask Redis whether it is there.

        Raises:
            StoreUnavailable: It is not.
        """
        with border():
            self._redis.ping()

    def waiting_in(self, queue: Queue) -> int:
        """Count the tasks that wait in a queue."""
        with border():
            return int(self._redis.llen(queue))

    def count_unknown_code(self, code: str) -> None:
        """Count a code of a provider's that our tables do not know; operators look at them."""
        with border():
            self._redis.hincrby(keys.UNKNOWN_CODES, code, 1)

    def unknown_codes(self) -> dict[str, int]:
        """Tell how often each unknown code came."""
        with border():
            known = cast("dict[str, str]", self._redis.hgetall(keys.UNKNOWN_CODES))
        return {code: int(count) for code, count in known.items()}

    def forget(self, record: Record) -> bool:
        """Take back a record whose task could not be queued; False when a worker has begun with it all the same."""
        with border():
            found = [keys.record(record.id), keys.due(record.lane), keys.waiting(record.lane)]
            return bool(self._forget(keys=found, args=[record.id]))

    def read(self, message_id: MessageId) -> Record | None:
        """Read one record; None when there is none (never accepted, or its retention is over)."""
        return self.read_all([message_id])[0]

    def read_all(self, message_ids: Sequence[MessageId]) -> list[Record | None]:
        """Read several records in one round trip, each None where there is none."""
        with border():
            pipe = self._redis.pipeline(transaction=False)
            for message_id in message_ids:
                pipe.hgetall(keys.record(message_id))
            found = cast("list[dict[str, str]]", pipe.execute())
        return [
            Record.read(message_id, known) if "state" in known else None
            for message_id, known in zip(message_ids, found, strict=True)
        ]

    def read_those_readable(self, message_ids: Sequence[MessageId]) -> dict[MessageId, Record | None]:
        """Read several records; one that cannot be read is left out and logged.

        A newer version wrote it, or a hand: it must not hold up the others.
        """
        try:
            return dict(zip(message_ids, self.read_all(message_ids), strict=True))
        except _UNREADABLE:
            return dict(pair for message_id in message_ids for pair in self._read_if_readable(message_id))

    def _read_if_readable(self, message_id: MessageId) -> list[tuple[MessageId, Record | None]]:
        try:
            return [(message_id, self.read(message_id))]
        except _UNREADABLE as error:
            import structlog  # noqa: PLC0415 - it brings a hundred modules, and producers never come here

            structlog.get_logger().error("record_unreadable", message_id=message_id, error=type(error).__name__)
            return []

    def take(self, message_id: MessageId, *, redelivered: bool) -> Taken:
        """Read the record of a task that has come to a worker, and count the delivery if it is not the first.

        Raises:
            StoreUnavailable: Nothing was counted, or the answer was lost.
        """
        with border():
            again, flat = self._take(
                keys=[keys.record(message_id), keys.deliveries(message_id)],
                args=["1" if redelivered else "", keys.DELIVERIES_TTL],
            )
        known = dict(zip(flat[::2], flat[1::2], strict=True))
        return Taken(Record.read(message_id, known) if "state" in known else None, int(again))

    def move(  # noqa: PLR0913 - a change of state says what, when and why
        self,
        message_id: MessageId,
        to: State,
        *,
        at: int,
        fields: Mapping[str, str | int] | None = None,
        detail: Mapping[str, Any] | None = None,
        attempt: bool = False,
        only_from: State | None = None,
        of_attempt: int | None = None,
        due: int | None = None,
        task: tuple[Queue, str] | None = None,
    ) -> Move:
        """Move a message into `to` if the table of states allows it, and note the event.

        `attempt` counts one; with `only_from` the message must be in that very state, with `of_attempt` that attempt
        must be the latest. `due` (Unix milliseconds) is when somebody looks after it, for a state in which it does not
        rest; `task` is queued in the same act.

        Raises:
            StoreUnavailable: The same call may be made again.
        """
        before = predecessors(to) & {only_from} if only_from else predecessors(to)
        queue, entry = task or (Queue.NOTICE, "")
        with border():
            result, was, attempts = self._move(
                keys=[keys.record(message_id), keys.UNCERTAIN, keys.SILENT, keys.DEAD, keys.WEBHOOKS, queue],
                args=[
                    *(message_id, to, f",{','.join(sorted(before))},", Event(at, to, detail or {}).line()),
                    *(self._ttl(to), uuid4().hex, "begin" if attempt else "" if of_attempt is None else of_attempt),
                    *(at, INDEXES.get(to, ""), due or at + LOOK_AGAIN, entry, keys.DUE_IN),
                    *(keys.WAITING_IN, keys.PARKED_IN, keys.TALLY_OF, keys.TALLY_SLICE, keys.TALLY_TTL),
                    *_flat(fields or {}),
                ],
            )
        return Move(Result(result), State(was) if was else None, int(attempts))

    def _ttl(self, state: State) -> int:
        """Seconds for which a record in this state is kept."""
        return self._retention if state in FINAL else keys.OPEN_RECORD_TTL


def _flat(fields: Mapping[str, str | int]) -> list[str | int]:
    return [part for pair in fields.items() for part in pair]
