"""Windows of the calendar: budgets of a day or a month."""

from dataclasses import dataclass
from typing import Any, Final

from smsgate.ledger.counter import Command, Room, of_limits

# Seconds beyond its end for which a window is kept: clocks differ.
_AFTERWARDS: Final = 60


@dataclass(frozen=True, slots=True)
class FixedWindow:
    """A window of the calendar, counted from its start to its end.

    `limits` begins a window with the first hit and knows months of 30 days; so its key names the window here.
    """

    key: str
    most: int
    end: int
    counts_refused: bool = True

    def read(self, now: int) -> Command:  # noqa: ARG002 - as the others
        return ("GET", self.key)

    def room(self, answer: Any, now: int) -> Room:
        remaining, left = max(0, self.most - max(0, int(answer or 0))), max(0.0, (self.end - now) / 1000)
        return Room(remaining, 0.0 if remaining else left, left)

    def after(self, room: Room, permits: int) -> Room:
        return Room(max(0, room.remaining - permits), room.frees_in, room.lasts)

    def take(self, permits: int, now: int) -> Command:
        lasting = max(0, self.end - now) // 1000 + _AFTERWARDS
        return of_limits("SCRIPT_INCR_EXPIRE").on([self.key], lasting, permits)

    def is_taken(self, answer: Any) -> bool:
        return int(answer) <= self.most

    def give_back(self, permits: int, now: int) -> Command:
        return self.take(-permits, now)
