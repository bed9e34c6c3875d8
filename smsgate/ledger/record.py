"""The record of one message, and what comes of accepting, taking and moving one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from smsgate.message import Lane, Message, MessageId
from smsgate.states import State


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
    not_before: int = 0  # when the next attempt may begin
    budget: int | None = None  # the number of the last attempt that it may have; None for the usual five
    lease: int = 0  # until when whoever began the latest attempt may still be in it
    asks: int = 0  # how often the provider was asked since the latest attempt

    @property
    def lane(self) -> Lane:
        return self.message.lane if self.message else Lane.NOTICE

    @property
    def attempted_at(self) -> tuple[int, ...]:
        """When each attempt began."""
        return tuple(event.at for event in self.timeline if event.state is State.SENDING)

    def fields(self) -> dict[str, str | int]:
        """Lay out a record that has just begun, as Redis keeps it."""
        known: dict[str, str | int] = {
            "state": self.state,
            "message": self.message.model_dump_json(exclude_defaults=True) if self.message else "",
            "reason": self.reason or "",
            "client": self.client,
            "lane": self.lane,
            "accepted_at": self.accepted_at,
            "valid_until": self.valid_until,
            "timeline": "".join(f"{event.line()}\n" for event in self.timeline),
        }
        if self.not_before:
            known["not_before"] = self.not_before
        if self.message and self.message.callback_url:
            known["callback"] = 1
        return known

    @classmethod
    def read(cls, message_id: MessageId, known: Mapping[str, str]) -> "Record":
        """Read back what Redis keeps."""
        return cls(
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
            not_before=int(known.get("not_before", 0)),
            budget=int(known["budget"]) if "budget" in known else None,
            lease=int(known.get("lease", 0)),
            asks=int(known.get("asks", 0)),
        )


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


@dataclass(frozen=True, slots=True)
class Taken:
    """A task as a worker begins with it; `redeliveries` counts those since the latest attempt began."""

    record: Record | None
    redeliveries: int
