"""Take permits of several limits at once, all or none, so that what one refuses uses up no other."""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from smsgate.errors import LimitExceeded
from smsgate.flow.clock import Clock, system_clock
from smsgate.gates.quota import Limit, Per
from smsgate.ledger.counter import Counter, Room
from smsgate.ledger.quotas import Quotas

# Tries for permits that others took between our look and our taking them.
_TRIES: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """A limit, and its counter for one subject; it is told from others by its key."""

    limit: Limit
    counter: Counter

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Use) and other.counter.key == self.counter.key

    def __hash__(self) -> int:
        return hash(self.counter.key)

    def exceeded(self, room: Room) -> LimitExceeded:
        limit, allow = self.limit, self.limit.allow
        per = [str(per) for per in Per if per in limit.per]
        return LimitExceeded(limit.name, per, str(allow), allow.number, allow.seconds, room.frees_in)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a limit stands for one subject: what is left of it, and for how many seconds that should last."""

    limit: Limit
    remaining: int
    lasts: float


@dataclass(slots=True)
class Admitted:
    """What was let through: for each row why it was not; and for one alone, what its permits leave."""

    refusals: list[LimitExceeded | None]
    standings: list[Standing] = field(default_factory=list)
    uses: Sequence[Sequence[Use]] = ()

    def permits(self, rows: Iterable[int]) -> Tally[Use]:
        """Count the permits of some of the rows that were let through."""
        return Tally(use for row in rows if self.refusals[row] is None for use in self.uses[row])


@dataclass(frozen=True, slots=True)
class Permits:
    """Take what rows need."""

    quotas: Quotas
    now: Clock = system_clock

    def __call__(self, uses: Sequence[Sequence[Use]]) -> Admitted:
        """Let those rows pass for which there is room in every counter.

        Where each has a single one it is asked at once. Of several is read first what is left: what one refuses must
        use up none of the others.
        """
        admitted = Admitted([None] * len(uses), uses=uses)
        pending: Sequence[int] = range(len(uses))
        wanted = admitted.permits(pending)
        if len(wanted) == 1:
            ((use, count),) = wanted.items()
            room, is_taken = self.quotas.read_and_take(use.counter, count, self.now())
            if is_taken:
                admitted.standings = [_left(use, room, count)]
                return admitted
            return self._choose_and_take(admitted, pending, {use: room})
        if all(len(some) == 1 for some in uses):
            taken = self.quotas.take([(use.counter, count) for use, count in wanted.items()], self.now())
            short = {use for use, is_taken in zip(wanted, taken, strict=True) if not is_taken}
            pending = [row for row in pending if uses[row][0] in short] if short else ()
        return self._choose_and_take(admitted, pending, None)

    def _choose_and_take(self, admitted: Admitted, pending: Sequence[int], rooms: dict[Use, Room] | None) -> Admitted:
        """Choose the rows that fit into what is left, and take their permits; again where others were faster."""
        short: list[Use] = []
        for _ in range(_TRIES):
            rooms = rooms or self._rooms(admitted.permits(pending))
            pending = _chosen(admitted, pending, rooms)
            permits = admitted.permits(pending)
            short = self._take(permits)
            if not short:
                if len(admitted.uses) == 1:
                    admitted.standings = [_left(use, rooms[use], count) for use, count in permits.items()]
                return admitted
            rooms = None
        found = self._rooms(short)
        for row in pending:
            admitted.refusals[row] = short[0].exceeded(found[short[0]])
        return admitted

    def _rooms(self, uses: Iterable[Use]) -> dict[Use, Room]:
        asked = list(uses)
        return dict(zip(asked, self.quotas.read([use.counter for use in asked], self.now()), strict=True))

    def _take(self, permits: Tally[Use]) -> list[Use]:
        """Take permits of all counters; where one has fewer, of none, and says which."""
        wanted = list(permits.items())
        now = self.now()
        taken = self.quotas.take([(use.counter, count) for use, count in wanted], now)
        if all(taken):
            return []
        got = [(use.counter, count) for (use, count), is_taken in zip(wanted, taken, strict=True) if is_taken]
        self.quotas.give_back(got, now)
        return [use for (use, _), is_taken in zip(wanted, taken, strict=True) if not is_taken]


def _chosen(admitted: Admitted, pending: Iterable[int], rooms: Mapping[Use, Room]) -> list[int]:
    left = {use: room.remaining for use, room in rooms.items()}
    chosen = []
    for row in pending:
        short = next((use for use in admitted.uses[row] if left[use] < 1), None)
        if short:
            admitted.refusals[row] = short.exceeded(rooms[short])
            continue
        chosen.append(row)
        for use in admitted.uses[row]:
            left[use] -= 1
    return chosen


def _left(use: Use, room: Room, count: int) -> Standing:
    after = use.counter.after(room, count)
    return Standing(use.limit, after.remaining, after.lasts)
