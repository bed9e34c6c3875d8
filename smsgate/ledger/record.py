"""The record of one message, and what comes of accepting, taking and moving one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from smsgate.ledger import older, pieces
from smsgate.message import Lane, Message, MessageId
from smsgate.phone import Phone
from smsgate.states import State

# The texts of a record that are kept in pieces: its timeline, whose number of pieces the scripts keep in a field of
# this very name, and what a message says beyond number, template and lane.
TIMELINE: Final = "t"
REST: Final = "more"
# Built once each: json.dumps builds one for each call that asks for more than the usual.
_COMPACT: Final = json.JSONEncoder(separators=(",", ":"))
_COMPACT_UTF8: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Event:
    """One step in a message's life; `at` in Unix milliseconds."""

    at: int
    state: State
    detail: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """Write it in ASCII, so that it can be cut anywhere."""
        return f"{self.state} {self.at}{_written(self.detail)}\n"

    @classmethod
    def read(cls, line: str) -> "Event":
        state, at, *detail = line.split(" ", 2)
        return cls(int(at), State(state), json.loads(detail[0]) if detail else {})


def _written(detail: Mapping[str, Any]) -> str:
    return f" {_COMPACT.encode(detail)}" if detail else ""


@dataclass(frozen=True, slots=True)
class Gathers:
    """How messages of one kind leave together: up to `size` of them, none later than after `wait` milliseconds."""

    size: int
    wait: int

    @property
    def written(self) -> str:
        return f"{self.size}|{self.wait}"

    @classmethod
    def read(cls, written: str) -> "Gathers":
        size, _, wait = written.partition("|")
        return cls(int(size), int(wait))


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
    gathers: Gathers | None = None  # how it waits for others to leave with; None for one that leaves by itself
    row: bool = False  # whether it belongs to a batch, which its id begins with

    @property
    def batch(self) -> str | None:
        return self.id.rpartition("-")[0] if self.row else None

    @property
    def chunks(self) -> tuple[str, ...]:
        """Name the chunks in which attempts were made."""
        return tuple(str(event.detail["chunk"]) for event in self.timeline if "chunk" in event.detail)

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
            "lane": self.lane,
            "accepted_at": self.accepted_at,
            "valid_until": self.valid_until,
            **(_message_fields(self.message) if self.message else {}),
            **_timeline_fields(self.timeline),
        }
        given = {
            "reason": self.reason,
            "client": self.client,
            "not_before": self.not_before,
            "gathers": self.gathers and self.gathers.written,
            "row": int(self.row),
        }
        return {**known, **{name: value for name, value in given.items() if value}}

    @classmethod
    def read(cls, message_id: MessageId, stored: Mapping[str, str]) -> "Record":
        """Read back what Redis keeps."""
        known = older.renewed(stored, rest=REST, timeline=TIMELINE)
        return cls(
            id=message_id,
            message=_message(known) if "to" in known else None,
            client=known.get("client", ""),
            state=State(known["state"]),
            accepted_at=int(known["accepted_at"]),
            valid_until=int(known["valid_until"]),
            attempts=int(known.get("attempts", 0)),
            reason=known.get("reason") or None,
            channel=known.get("channel"),
            provider_id=known.get("provider_id"),
            timeline=tuple(map(Event.read, pieces.joined(known, TIMELINE).splitlines())),
            not_before=int(known.get("not_before", 0)),
            budget=int(known["budget"]) if "budget" in known else None,
            lease=int(known.get("lease", 0)),
            asks=int(known.get("asks", 0)),
            gathers=Gathers.read(known["gathers"]) if "gathers" in known else None,
            row="row" in known,
        )


def _message_fields(message: Message) -> dict[str, str | int]:
    rest = message.model_dump(mode="json", exclude_defaults=True, exclude={"to", "template", "lane"})
    known: dict[str, str | int] = {"to": message.to, "template": message.template}
    if rest:
        known |= pieces.fields(REST, _COMPACT_UTF8.encode(rest))
    if message.callback_url:
        known["callback"] = 1
    return known


def _message(known: Mapping[str, str]) -> Message:
    rest = pieces.joined(known, REST)
    own = {name: known[name] for name in ("to", "template", "lane")}
    return Message.restore({**own, **(json.loads(rest) if rest else {})})


def _timeline_fields(timeline: Sequence[Event]) -> dict[str, str | int]:
    written = pieces.fields(TIMELINE, "".join(event.line() for event in timeline))
    return {**written, TIMELINE: len(written)}


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


class Beginning(StrEnum):
    """How a worker may begin with a task."""

    CLAIMED = "claimed"  # the attempt is its own
    READ = "read"  # something speaks against it
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Begun:
    """A task as a worker begins with it, its record as it stood before.

    `attempts` counts this one where it was claimed, for `channel`; `redeliveries` those since the latest attempt began.
    """

    beginning: Beginning
    record: Record | None
    attempts: int
    redeliveries: int
    channel: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What an attempt is claimed with; times in Unix milliseconds.

    A message whose time comes by `early` may go, `lease` is until when the attempt belongs to whoever claims it. It is
    for the first of `channels`; with `turns`, the number that a code goes to, for the first that took none of the codes
    it was sent lately, or took one the longest ago.
    """

    at: int
    early: int
    lease: int
    channels: tuple[str, ...]
    attempts: int
    redeliveries: int
    turns: Phone | None = None
