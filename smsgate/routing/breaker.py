"""When a channel is left alone: the rule, the rolling window that it looks at, and the states of a breaker."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import Field

from smsgate.routing.declared import Declared
from smsgate.routing.verdict import Verdict

# What a channel is called for; each has a breaker of its own.
SEND: Final = "send"
ASK: Final = "ask"


class Phase(StrEnum):
    """A breaker's states, in pybreaker's words."""

    CLOSED = "closed"  # calls go
    OPEN = "open"  # none does
    HALF_OPEN = "half-open"  # probes do


class Reason(StrEnum):
    """Why a breaker is not closed."""

    FAILING = "failing"  # too many calls failed
    SLOW_CALLS = "slow_calls"  # too many failed or took too long: better than no channel at all
    ACCOUNT = "account"  # an operator must put the account right
    CREDENTIALS = "credentials"  # likewise key or permission
    BY_HAND = "by_hand"  # an operator opened it, and closes it


# Where an operator has to act.
ALARMING: Final = frozenset({Reason.ACCOUNT, Reason.CREDENTIALS})
AT_ONCE: Final[dict[Verdict, Reason]] = {
    Verdict.ACCOUNT: Reason.ACCOUNT,
    Verdict.CREDENTIALS: Reason.CREDENTIALS,
}


class BreakerRule(Declared):
    """When a breaker opens, and how it closes; times in seconds. Where it is not `enabled` nothing is counted.

    It opens when `share` of at least `least_calls` calls of the last `window` failed, for `sleep`; likewise when they
    failed or took longer than `slow_call_seconds`; and when `least_calls` of them did so since one went well, for the
    more traffic there was before, the longer a share takes to tell. For account and credentials it opens at the first
    call, for `account_sleep`. Then `probes` calls go at a time, over all processes; `successes` of them close it. A
    probe of which nothing is heard for `probe_lease` is given up.
    """

    enabled: bool = True
    window: int = Field(default=10, ge=1, le=60)
    least_calls: int = Field(default=10, ge=1)
    share: float = Field(default=0.5, gt=0, le=1)
    sleep: float = Field(default=5.0, gt=0)
    account_sleep: float = Field(default=30.0, gt=0)
    probes: int = Field(default=1, ge=1)
    successes: int = Field(default=2, ge=1)
    slow_call_seconds: float = Field(default=1.5, gt=0)
    probe_lease: float = Field(default=15.0, gt=0)  # above what a provider's call takes at most, mostly

    def trips(self, calls: "Calls", since_well: "Calls | None" = None) -> Reason | None:
        """Say why the calls of a window open a breaker, or those since one went well; None where they do not."""
        if since_well is not None and since_well.total >= self.least_calls:
            return Reason.FAILING if since_well.failed >= self.share * since_well.total else Reason.SLOW_CALLS
        if calls.total < self.least_calls:
            return None
        if calls.failed >= self.share * calls.total:
            return Reason.FAILING
        return Reason.SLOW_CALLS if calls.failed + calls.slow >= self.share * calls.total else None

    def sleep_after(self, reason: Reason) -> int:
        """Milliseconds from opening to the first probe."""
        return int((self.account_sleep if reason in ALARMING else self.sleep) * 1000)


@dataclass(slots=True)
class Calls:
    """How calls ended. A call in flight is `slow` as soon as it is; should it fail in the end, it is taken out there.

    So what is slow can be below zero within a slice of time, and over a window that has lost the other one.
    """

    ok: int = 0
    failed: int = 0
    slow: int = 0

    def add(self, other: "Calls") -> None:
        self.ok += other.ok
        self.failed += other.failed
        self.slow += other.slow

    @property
    def total(self) -> int:
        return self.ok + self.failed + max(self.slow, 0)

    def __bool__(self) -> bool:
        return bool(self.ok or self.failed or self.slow)

    def told(self) -> str:
        """Say it for operators."""
        return f"{self.failed} of {self.total} calls failed, {max(self.slow, 0)} were slow"


class Window:
    """The calls of the last seconds, in slices of a second; for one thread at a time."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._slices: deque[tuple[int, Calls]] = deque()

    def at(self, now: float) -> Calls:
        """Give the slice of `now` (seconds, of any clock that does not go back) to count in."""
        second = int(now)
        if not self._slices or self._slices[-1][0] != second:
            self._roll(second)
            self._slices.append((second, Calls()))
        return self._slices[-1][1]

    def sum(self, now: float) -> Calls:
        """Add up the last seconds, the one that is under way among them."""
        self._roll(int(now))
        total = Calls()
        for _, calls in self._slices:
            total.add(calls)
        return total

    def clear(self) -> None:
        self._slices.clear()

    def _roll(self, second: int) -> None:
        while self._slices and self._slices[0][0] <= second - self._seconds:
            self._slices.popleft()


@dataclass(frozen=True, slots=True)
class State:
    """A breaker as it stands; `since` and `until` (when it may be probed) in Unix milliseconds of this host."""

    phase: Phase = Phase.CLOSED
    reason: Reason | None = None
    detail: str = ""
    since: int = 0
    until: int = 0
    successes: int = 0


CLOSED: Final = State()


@dataclass(frozen=True, slots=True)
class Event:
    """A breaker went from one state to another; `was` is the reason before, for one that opened again."""

    at: int
    channel: str
    operation: str
    before: Phase
    after: Phase
    reason: Reason | None = None
    detail: str = ""
    was: Reason | None = None

    @property
    def is_alarm(self) -> bool:
        """Say whether an operator has to act, and has not been told."""
        return self.after is Phase.OPEN and self.reason in ALARMING and self.reason is not self.was


@dataclass(frozen=True, slots=True)
class Turn:
    """What an act on a breaker led to.

    `granted` says that a probe may go, until `until` (Unix ms); without it that is when to ask again. `order` puts what
    is known from several acts in order.
    """

    state: State
    events: tuple[Event, ...] = ()
    granted: bool = False
    until: int = 0
    order: int = 0


def split(name: str) -> tuple[str, str]:
    """Take the name of a breaker apart: its channel and what that is called for."""
    channel, _, operation = name.partition("|")
    return channel, operation


def name_of(channel: str, operation: str) -> str:
    return f"{channel}|{operation}"
