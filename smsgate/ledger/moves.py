"""A change of state: what is asked for, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from smsgate.ledger.record import Event
from smsgate.message import MessageId
from smsgate.states import State


@dataclass(frozen=True, slots=True)
class Step:
    """A change of state that may hold for many messages at once; `at` in Unix milliseconds.

    With `only_from` a message must be in that very state. `fields` go into the record, `detail` into the event.
    """

    to: State
    at: int
    fields: Mapping[str, str | int] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    only_from: State | None = None

    @property
    def event(self) -> Event:
        return Event(self.at, self.to, self.detail)


@dataclass(frozen=True, slots=True)
class Moving:
    """A message that is to change its state.

    With `of_attempt` that attempt must be the latest; `due` (Unix milliseconds) is when somebody looks after it, for a
    state in which it does not rest.
    """

    id: MessageId
    of_attempt: int | None = None
    due: int | None = None

    def written(self, default_due: int) -> tuple[str | int, ...]:
        return (self.id, "" if self.of_attempt is None else self.of_attempt, self.due or default_due)


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


def moves_of(flat: Sequence[Any]) -> list[Move]:
    """Read the answer of `move.lua`: three values for each message."""
    found = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    return [Move(Result(result), State(was) if was else None, int(attempts)) for result, was, attempts in found]
