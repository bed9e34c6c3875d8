"""Two windows, of which the earlier weighs less and less."""

from dataclasses import dataclass
from typing import Any, Final

from smsgate.ledger import keys
from smsgate.ledger.counter import Command, Room, of_limits

# Milliseconds until what is about to be free is free.
_JUST_AFTER: Final = 1


@dataclass(frozen=True, slots=True)
class SlidingCounter:
    """The counts of this window and the one before, of which as much counts as still lies within the span."""

    key: str
    most: int
    seconds: int
    counts_refused: bool = False

    def read(self, now: int) -> Command:  # noqa: ARG002 - Redis has its own clock
        return of_limits("SCRIPT_SLIDING_WINDOW").on(self._keys, self.seconds)

    def room(self, answer: Any, now: int) -> Room:  # noqa: ARG002 - likewise
        before, before_left, current, current_left = (max(0, int(one or 0)) for one in answer)
        span = self.seconds * 1000
        slides_in = max(0, current_left - span)  # a window is kept for twice its length
        remaining = max(0, self.most - before * before_left // span - current)
        lasts = slides_in if current else before_left
        if remaining:
            return Room(remaining, 0.0, lasts / 1000)
        free = self.most - current
        if free > 0:  # as the window before comes to weigh less
            frees = before_left - free * span // max(1, before)
        else:  # as this one does, once it is the window before
            frees = slides_in + span - self.most * span // current
        return Room(0, max(0, frees + _JUST_AFTER) / 1000, lasts / 1000)

    def after(self, room: Room, permits: int) -> Room:
        return Room(max(0, room.remaining - permits), room.frees_in, room.lasts or self.seconds)

    def take(self, permits: int, now: int) -> Command:  # noqa: ARG002 - likewise
        return of_limits("SCRIPT_ACQUIRE_SLIDING_WINDOW").on(self._keys, self.most, self.seconds, permits)

    def is_taken(self, answer: Any) -> bool:
        return bool(answer)

    def give_back(self, permits: int, now: int) -> Command:
        return self.take(-permits, now)

    @property
    def _keys(self) -> list[str]:
        return [keys.window_before(self.key), self.key]
