"""The record of each message: what it is, where it stands, and everything that happened to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast
from uuid import uuid4

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.message import Lane, Message, MessageId
from smsgate.queues import LANE_QUEUES, Queue
from smsgate.states import RESTING, State, predecessors


@dataclass(frozen=True, slots=True)
class Event:
    """One step in a message's life; `at` in Unix milliseconds."""

    at: int
    state: State
    detail: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        return json.dumps({"at": self.at, "state": self.state, **self.detail}, ensure_ascii=False)

    @classmethod
    def read(cls, line: str) -> "Event":
        known = json.loads(line)
        return cls(known.pop("at"), State(known.pop("state")), known)


@dataclass(frozen=True, slots=True)
class Record:
    """What Redis holds of one message; times in Unix milliseconds."""

    id: MessageId
    message: Message | None  # None when a task sent by name carried none that could be read
    client: str
    state: State
    accepted_at: int
    valid_until: int
    attempts: int
    reason: str | None
    channel: str | None
    provider_id: str | None
    timeline: tuple[Event, ...]


class Acceptance(StrEnum):
    """How the ledger took a message."""

    ACCEPTED = "accepted"
    REPLAYED = "replayed"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's key, and the fingerprint of the message that came with it."""

    key: str
    fingerprint: str


class Result(StrEnum):
    """Whether a record changed its state."""

    MOVED = "moved"
    STAYED = "stayed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Move:
    """What came of a change of state: `before` is None only for a missing record."""

    result: Result
    before: State | None
    attempts: int


class Records:
    """The records in one Redis."""

    def __init__(self, client: redis.Redis, *, retention: int) -> None:
        """Take a connection and how many seconds a record is kept after its end."""
        self._redis = client
        self._retention = retention
        self._accept = client.register_script(scripts.source("accept"))
        self._move = client.register_script(scripts.source("move"))

    def accept(
        self, record: Record, task: str | None, idempotency: Idempotency | None = None
    ) -> tuple[Acceptance, MessageId]:
        """Write the record and its Celery message in one act; without `task`, the record alone.

        A record that is there already, or an idempotency key used before, is answered with the first one's id.

        Raises:
            StoreUnavailable: Nothing was written, or the answer was lost; the same call may be made again.
        """
        fingerprint = idempotency.fingerprint if idempotency else ""
        claim = keys.idempotency(record.client, idempotency.key if idempotency else "")
        with border():
            answer, message_id = self._accept(
                keys=[keys.record(record.id), _queue(record), claim],
                args=[
                    *(record.id, task or "", self._ttl(record.state), fingerprint, keys.IDEMPOTENCY_TTL),
                    *_flat(_fields(record)),
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

    def forget(self, message_id: MessageId) -> None:
        """Take back a record whose task could not be queued."""
        with border():
            self._redis.delete(keys.record(message_id))

    def read(self, message_id: MessageId) -> Record | None:
        """Read one record; None when there is none (never accepted, or its retention is over)."""
        with border():
            known = cast("dict[str, str]", self._redis.hgetall(keys.record(message_id)))
        return _record(message_id, known) if known else None

    def move(  # noqa: PLR0913 - a change of state says what, when and why
        self,
        message_id: MessageId,
        to: State,
        *,
        at: int,
        fields: Mapping[str, str] | None = None,
        detail: Mapping[str, Any] | None = None,
        attempt: bool = False,
        only_from: State | None = None,
    ) -> Move:
        """Move a message into `to` if the table of states allows it, and note the event.

        `attempt` counts one; with `only_from` the message must be in that very state.

        Raises:
            StoreUnavailable: The same call may be made again.
        """
        before = predecessors(to) & {only_from} if only_from else predecessors(to)
        event = Event(at, to, detail or {}).line()
        allowed = f",{','.join(sorted(before))},"
        with border():
            result, was, attempts = self._move(
                keys=[keys.record(message_id)],
                args=[to, allowed, event, self._ttl(to), uuid4().hex, "1" if attempt else "", *_flat(fields or {})],
            )
        return Move(Result(result), State(was) if was else None, int(attempts))

    def _ttl(self, state: State) -> int:
        """Seconds for which a record in this state is kept."""
        return self._retention if state in RESTING else keys.OPEN_RECORD_TTL


def _queue(record: Record) -> Queue:
    return LANE_QUEUES[record.message.lane if record.message else Lane.NOTICE]


def _flat(fields: Mapping[str, str | int]) -> list[str | int]:
    return [part for pair in fields.items() for part in pair]


def _fields(record: Record) -> dict[str, str | int]:
    return {
        "state": record.state,
        "message": record.message.model_dump_json(exclude_defaults=True) if record.message else "",
        "reason": record.reason or "",
        "client": record.client,
        "accepted_at": record.accepted_at,
        "valid_until": record.valid_until,
        "timeline": "".join(f"{event.line()}\n" for event in record.timeline),
    }


def _record(message_id: MessageId, known: Mapping[str, str]) -> Record:
    return Record(
        id=message_id,
        message=Message.restore(known["message"]) if known["message"] else None,
        client=known["client"],
        state=State(known["state"]),
        accepted_at=int(known["accepted_at"]),
        valid_until=int(known["valid_until"]),
        attempts=int(known.get("attempts", 0)),
        reason=known.get("reason") or None,
        channel=known.get("channel"),
        provider_id=known.get("provider_id"),
        timeline=tuple(Event.read(line) for line in known["timeline"].split("\n") if line),
    )
