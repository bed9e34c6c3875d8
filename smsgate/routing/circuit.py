"""A channel's breaker as pybreaker turns it, over a state that all processes share.

pybreaker counts failures in a row and keeps its counts by itself; here it is the machine of states only. Whether to
open is the rule's to say, and what a probe proved is settled where all processes see it. Its `call` holds a lock for as
long as the call takes, so `calling` is what is used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from pybreaker import CircuitBreaker, CircuitBreakerStorage

from smsgate.routing.breaker import BreakerRule, Phase, Reason, State, Turn


class Circuits(Protocol):
    """Where breakers are kept: in Redis for all processes, or in a process by itself while that is away."""

    def take_probe(self, name: str, token: str) -> Turn: ...

    def settle(self, name: str, token: str, *, well: bool | None, reason: Reason, detail: str) -> Turn: ...

    def open(self, name: str, reason: Reason, detail: str) -> Turn: ...

    def close(self, name: str) -> Turn: ...


@dataclass(slots=True)
class Lesson:
    """What a probe has proved, as soon as it is known: nothing, until then."""

    well: bool | None = None
    reason: Reason = Reason.FAILING
    detail: str = ""


class _Shared(CircuitBreakerStorage):
    """As much of a storage as pybreaker asks for; the counts that it keeps in one are kept elsewhere."""

    @property
    def opened_at(self) -> datetime | None:
        """Say just now, always: pybreaker must let no call through by its own time."""
        return datetime.now(UTC)

    @opened_at.setter
    def opened_at(self, datetime: datetime) -> None:
        """Leave it: it is a part of the state."""

    @property
    def counter(self) -> int:
        return 0

    @property
    def success_counter(self) -> int:
        return 0


class Watched(_Shared):
    """A breaker that lets everything pass while it is closed.

    `trip` is asked after each failure whether it must open by what this process alone knows, and opens it then.
    """

    def __init__(self, name: str, state: Callable[[], State], trip: Callable[[], bool]) -> None:
        super().__init__(name)
        self._state = state
        self._trip = trip

    @property
    def state(self) -> str:
        return self._state().phase

    @state.setter
    def state(self, state: str) -> None:
        """Leave it: `trip` has done it."""

    @property
    def counter(self) -> int:
        return int(self._trip())


class Probed(_Shared):
    """A breaker for the length of one probe, half-open; when pybreaker counts its end, that is settled for all."""

    def __init__(self, name: str, lesson: Lesson, settle: Callable[[Lesson], State]) -> None:
        super().__init__(name)
        self._lesson = lesson
        self._settle = settle
        self._state = State(Phase.HALF_OPEN)

    @property
    def state(self) -> str:
        return self._state.phase

    @state.setter
    def state(self, state: str) -> None:
        """Settle a probe that failed: pybreaker opens a breaker by it. One that it closes has been settled before."""
        if state == Phase.OPEN and self._state.phase is Phase.HALF_OPEN:
            self._state = self._settle(self._lesson)

    def increment_success_counter(self) -> None:
        self._state = self._settle(self._lesson)

    @property
    def success_counter(self) -> int:
        return self._state.successes


def breaker(storage: CircuitBreakerStorage, rule: BreakerRule) -> CircuitBreaker:
    """Build pybreaker's machine over a storage."""
    return CircuitBreaker(
        fail_max=1,  # in the storages above, one means: the rule says so
        success_threshold=rule.successes,
        # When it may be probed is decided where all processes see it.
        reset_timeout=rule.sleep,
        state_storage=storage,
        name=storage.name,
        # What ends a process (SystemExit, a greenlet's kill) says nothing of a provider.
        exclude=[lambda error: not isinstance(error, Exception)],
        throw_new_error_on_trip=False,
    )
