"""GCRA, the generic cell rate algorithm: a rate, and a burst."""

from dataclasses import dataclass
from typing import Any

from smsgate.ledger.counter import Command, Room, of_throttled, ours


@dataclass(frozen=True, slots=True)
class Cells:
    """GCRA: permits come back one by one, evenly; as many as are allowed may be used at once."""

    key: str
    most: int
    seconds: int
    counts_refused: bool = False

    def read(self, now: int) -> Command:  # noqa: ARG002 - Redis has its own clock
        return of_throttled("RedisPeekAtomicActionSpec").on([self.key], self._interval, self.most)

    def room(self, answer: Any, now: int) -> Room:  # noqa: ARG002 - likewise
        remaining, lasts = max(0, int(answer[1])), float(answer[2])
        # Told from when all is back: what the library itself names for it is the time since the last permit came back.
        frees = max(0.0, lasts - (self.most - 1) * self._interval)
        return Room(remaining, 0.0 if remaining else frees, lasts)

    def after(self, room: Room, permits: int) -> Room:
        return Room(max(0, room.remaining - permits), room.frees_in, room.lasts + permits * self._interval)

    def take(self, permits: int, now: int) -> Command:  # noqa: ARG002 - likewise
        return of_throttled("RedisLimitAtomicActionSpec").on([self.key], self._interval, self.most, permits)

    def is_taken(self, answer: Any) -> bool:
        return int(answer[0]) == 0

    def give_back(self, permits: int, now: int) -> Command:  # noqa: ARG002 - likewise
        return ours("return_cells").on([self.key], permits * self._interval)

    @property
    def _interval(self) -> float:
        return self.seconds / self.most
