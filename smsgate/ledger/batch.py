"""A batch: what its rows have in common, and how they stand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from smsgate.ledger.record import Gathers
from smsgate.message import VALID_FOR, Lane
from smsgate.phone import Phone
from smsgate.states import RESTING, State

# How rows leave together, and those to numbers abroad, which the provider takes one by one.
TOGETHER: Final = Gathers(100, 1000)
ALONE: Final = Gathers(1, 0)
# Milliseconds after which an upload of which nothing more came was broken off.
BROKEN_OFF: Final = 60_000


class Status(StrEnum):
    """What its owner wants of a batch."""

    OPEN = "open"
    PAUSED = "paused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is a message: its place in the batch, and what it says beyond number, template and lane (JSON)."""

    index: int
    to: Phone
    more: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What Redis holds of one batch; times in Unix milliseconds.

    `common` are the fields of the messages that all rows share; `received` counts the rows that were seen, good or bad.
    """

    id: str
    client: str
    status: Status
    common: Mapping[str, Any]
    created_at: int
    not_before: int
    received_at: int
    received: int
    rejected: int
    complete: bool
    accepted: int
    counts: Mapping[State, int]

    @property
    def lane(self) -> Lane:
        return Lane(self.common.get("lane", Lane.BULK))

    def valid_until(self, now: int) -> int:
        """Say until when rows that are accepted now are worth sending."""
        seconds = self.common.get("valid_for") or VALID_FOR[self.lane]
        return max(self.not_before, now) + int(seconds) * 1000

    def group(self, gathers: Gathers) -> str:
        """Name the group in which its rows wait."""
        return f"{self.id}|{gathers.written}|{self.common['template']}|{self.common.get('sign') or ''}"

    @property
    def groups(self) -> tuple[str, ...]:
        return (self.group(TOGETHER), self.group(ALONE))

    def is_at_rest(self) -> bool:
        """Say whether every row that was accepted has come to its end, or is a dead letter."""
        return sum(count for state, count in self.counts.items() if state in RESTING) >= self.accepted

    def standing(self, now: int) -> str:
        """Say in one word how it stands."""
        if self.status is not Status.OPEN:
            return str(self.status)
        if not self.complete:
            return "interrupted" if now - self.received_at > BROKEN_OFF else "receiving"
        return "done" if self.is_at_rest() else "open"

    @classmethod
    def read(cls, batch_id: str, known: Mapping[str, str]) -> "Batch":
        """Read back what Redis keeps."""
        return cls(
            id=batch_id,
            client=known["client"],
            status=Status(known["status"]),
            common=json.loads(known["common"]),
            created_at=int(known["created_at"]),
            not_before=int(known["not_before"]),
            received_at=int(known["received_at"]),
            received=int(known.get("rows_received", 0)),
            rejected=int(known.get("rows_rejected", 0)),
            complete="complete" in known,
            accepted=int(known.get("rows_accepted", 0)),
            counts={state: int(known[state]) for state in State if int(known.get(state, 0)) > 0},
        )
