"""The time of every message: exact, and as long as the limit is high."""

from dataclasses import dataclass
from typing import Any

from smsgate.ledger.counter import Command, Room, of_limits


@dataclass(frozen=True, slots=True)
class SlidingLog:
    """The time of each of the latest messages, so that no span of that length has more."""

    key: str
    most: int
    seconds: int
    counts_refused: bool = False

    def read(self, now: int) -> Command:
        return of_limits("SCRIPT_MOVING_WINDOW").on([self.key], now / 1000 - self.seconds, self.most)

    def room(self, answer: Any, now: int) -> Room:
        if not answer:
            return Room(self.most, 0.0, 0.0)
        remaining, left = self.most - int(answer[1]), max(0.0, float(answer[0]) + self.seconds - now / 1000)
        return Room(max(0, remaining), 0.0 if remaining > 0 else left, left)

    def after(self, room: Room, permits: int) -> Room:
        return Room(max(0, room.remaining - permits), room.frees_in, room.lasts or self.seconds)

    def take(self, permits: int, now: int) -> Command:
        return of_limits("SCRIPT_ACQUIRE_MOVING_WINDOW").on([self.key], now / 1000, self.most, self.seconds, permits)

    def is_taken(self, answer: Any) -> bool:
        return bool(answer)

    def give_back(self, permits: int, now: int) -> Command:  # noqa: ARG002 - as the others
        # The latest are whose they may be: within a call's time all are alike.
        return ("LPOP", self.key, permits)
