"""The records in Redis, and the only way in which they change."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.act import Act
from smsgate.ledger.connection import border
from smsgate.ledger.moves import Move, Moving, Result, Step, moves_of
from smsgate.ledger.outbox import queued
from smsgate.ledger.record import Acceptance, Beginning, Begun, Claim, Event, Idempotency, Record
from smsgate.ledger.retention import Retention
from smsgate.ledger.slots import NOWHERE, Slot
from smsgate.ledger.turns import in_turn, slices
from smsgate.message import Lane, MessageId
from smsgate.queues import Queue
from smsgate.states import State, predecessors

__all__ = ["Acceptance", "Event", "Idempotency", "Move", "Moving", "Record", "Records", "Result", "Step"]

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

    def __init__(self, client: redis.Redis, *, retention: Retention) -> None:
        """Take a connection, and for how long records are kept."""
        self._redis = client
        self._retention = retention
        self._accept = Act(client, "accept")
        self._move = Act(client, "move")
        self._move_in = client.register_script(scripts.source("move"))
        self._forget = client.register_script(scripts.source("forget"))
        self._begin = Act(client, "begin")

    def accept(
        self, record: Record, slot: Slot | None, idempotency: Idempotency | None = None
    ) -> tuple[Acceptance, MessageId, bool]:
        """Write the record and its Celery message, or its place among those it waits for company with, in one act.

        Without `slot` the record alone is written, for a task that somebody else publishes or has published; a message
        with a time to send gets its slot when that time has come. A record that is there already, or an idempotency
        key used before, is answered with the first one's id. Says too whether it has made a chunk full.

        Raises:
            StoreUnavailable: Nothing was written, or the answer was lost; the same call may be made again.
        """
        scheduled = record.not_before > record.accepted_at
        queued = record.state is State.QUEUED
        taken = NOWHERE if scheduled or slot is None else slot
        claim = keys.idempotency(record.client, idempotency.key) if idempotency else ""
        claim_ttl = keys.IDEMPOTENCY_TTL + max(0, record.not_before - record.accepted_at) // 1000
        due = min(record.not_before, record.valid_until) if scheduled else record.valid_until
        with border():
            answer, message_id, full = self._accept(
                keys=[
                    *(keys.record(record.id), taken.key, claim),
                    *(keys.due(record.lane), keys.waiting(record.lane), keys.groups(record.lane)),
                ],
                args=[
                    *(record.id, taken.entry, self._retention.of(record.state)),
                    *(idempotency.fingerprint if idempotency else "", claim_ttl),
                    due if queued else "",
                    record.accepted_at if queued and not scheduled else "",
                    *(taken.group, record.accepted_at, keys.GROUP_TTL),
                    *_flat(record.fields()),
                ],
            )
        return Acceptance(answer), MessageId(message_id), bool(full)

    def ping(self) -> None:
        """Ask Redis whether it is there; StoreUnavailable says that it is not."""
        with border():
            self._redis.ping()

    def waiting_in(self, queue: Queue) -> int:
        """Count the tasks that wait in a queue."""
        return queued(self._redis, queue)

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

    def begin(self, message_id: MessageId, lane: Lane, *, redelivered: bool, claim: Claim | None) -> Begun:
        """Read the record of a task that has come to a worker, count the delivery, and claim an attempt if it may be.

        Without `claim` none is, whatever the record says.

        Raises:
            StoreUnavailable: Nothing was done, or the answer was lost; the task may begin again.
        """
        wanted = claim or Claim(0, 0, 0, (), 0, 0)
        with border():
            beginning, again, attempts, flat, channel = self._begin(
                keys=[
                    *(keys.record(message_id), keys.deliveries(message_id)),
                    *(keys.due(lane), keys.waiting(lane), keys.parked(lane)),
                    keys.turns(wanted.turns) if wanted.turns else keys.NOBODYS_TURN,
                ],
                args=[
                    *(message_id, "1" if redelivered else "", keys.DELIVERIES_TTL, "1" if claim else ""),
                    *(wanted.redeliveries, wanted.attempts, wanted.at, wanted.early, wanted.lease),
                    *(_token(), ",".join(wanted.channels), keys.OPEN_RECORD_TTL, keys.BATCH_OF),
                    keys.TURNS_TTL if wanted.turns else "",
                ],
            )
        known = dict(zip(flat[::2], flat[1::2], strict=True))
        record = Record.read(message_id, known) if "state" in known else None
        return Begun(Beginning(beginning), record, int(attempts), int(again), channel)

    def move(  # noqa: PLR0913 - a change of state says what, when and why
        self,
        message_id: MessageId,
        to: State,
        *,
        at: int,
        fields: Mapping[str, str | int] | None = None,
        detail: Mapping[str, Any] | None = None,
        only_from: State | None = None,
        of_attempt: int | None = None,
        due: int | None = None,
        slot: Slot | None = None,
    ) -> Move:
        """Move one message, as `move_all` does; `slot` is where it waits for a worker from then on.

        Raises:
            StoreUnavailable: The same call may be made again.
        """
        step = Step(to, at, fields or {}, detail or {}, only_from=only_from)
        return self._moved([Moving(message_id, of_attempt, due)], step, slot)[0]

    def move_all(self, messages: Sequence[Moving], step: Step) -> list[Move]:
        """Move messages into a state, each if the table of states allows it, and note the event.

        Raises:
            StoreUnavailable: Some may have been moved; the same call may be made again.
        """
        if len(messages) == 1:
            return self._moved(messages, step, None)
        moves: list[Move] = []
        for some in slices(messages):
            with in_turn():
                moves += self._moved(some, step, None)
        return moves

    def move_each(self, steps: Sequence[tuple[Moving, Step]]) -> list[Move]:
        """Move messages, each by a step of its own, many in a round trip.

        Raises:
            StoreUnavailable: Some may have been moved; the same call may be made again.
        """
        moves: list[Move] = []
        for some in slices(steps):  # Redis runs a pipeline through as it runs a script
            with border(), in_turn():
                pipe = self._redis.pipeline(transaction=False)
                for message, step in some:
                    self._move_in(*self._moving([message], step, NOWHERE), client=pipe)
                moves += [move for flat in pipe.execute() for move in moves_of(flat)]
        return moves

    def _moved(self, messages: Sequence[Moving], step: Step, slot: Slot | None) -> list[Move]:
        with border():
            return moves_of(self._move(*self._moving(messages, step, slot or NOWHERE)))

    def _moving(self, messages: Sequence[Moving], step: Step, slot: Slot) -> tuple[list[str], list[str | int]]:
        """Write the keys and arguments of the script."""
        before = predecessors(step.to) & {step.only_from} if step.only_from else predecessors(step.to)
        return [keys.UNCERTAIN, keys.SILENT, keys.DEAD, keys.WEBHOOKS, slot.key, slot.groups], [
            *(keys.RECORD_OF, step.to, f",{','.join(sorted(before))},", step.event.line()),
            *(self._retention.of(step.to), _token(), step.at),
            *(INDEXES.get(step.to, ""), slot.entry, slot.group),
            *(keys.DUE_IN, keys.WAITING_IN, keys.PARKED_IN, keys.TALLY_OF, keys.TALLY_SLICE, keys.TALLY_TTL),
            *(keys.BATCH_OF, keys.GROUP_TTL, len(messages)),
            *(part for one in messages for part in one.written(step.at + LOOK_AGAIN)),
            *_flat(step.fields),
        ]


def _flat(fields: Mapping[str, str | int]) -> list[str | int]:
    return [part for pair in fields.items() for part in pair]


def _token() -> str:
    """Name a call, so that it finds its own work done when it is sent again; it is told from one other at most."""
    return os.urandom(6).hex()
