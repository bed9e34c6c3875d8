"""How a channel stands for whoever wants to send through it."""

from dataclasses import dataclass
from typing import Final

from smsgate.routing.breaker import Phase

PAUSED: Final = "paused"


@dataclass(frozen=True, slots=True)
class Go:
    """The channel may be called now; `is_probe` where that is to find out whether it is well again."""

    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class Blocked:
    """The channel is left alone until `until_ms` (Unix ms), when it may be asked for again; that may then be so still.

    `reason` is one of `smsgate.routing.breaker.Reason`, or `paused`. What `is_slow` is better than no channel at all.
    """

    until_ms: int
    reason: str
    is_slow: bool = False
    detail: str = ""


Admission = Go | Blocked


@dataclass(frozen=True, slots=True)
class Standing:
    """A channel as this process knows it, at most a second old; fields as in `Blocked`.

    In the phase `half-open`, and in `open` from `until_ms` on, some call may be let through as a probe. `weight` is 0
    to 1, and 1 where nothing is known. `is_stalled` says that this process waits for many answers, and none has come
    for a while.
    """

    phase: Phase
    until_ms: int
    reason: str
    detail: str
    is_slow: bool
    weight: float
    is_paused: bool
    is_stalled: bool = False

    def may_be_called(self, now: int) -> bool:
        """Say whether a call, or a probe, may go at `now` (Unix ms)."""
        return not self.is_paused and (self.phase is not Phase.OPEN or now >= self.until_ms)
