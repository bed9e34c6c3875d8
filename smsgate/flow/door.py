"""Does the door take it while the gateway is degraded?"""

import time
from typing import Final

from smsgate.errors import Degraded, StoreUnavailable
from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger.degradations import Degradations
from smsgate.message import Lane
from smsgate.routing.degradation import Degradation, Level

# Seconds for which a process trusts what it has read of the level: so the door costs a message nothing.
TRUST: Final = 1.0


class Door:
    """The door of one process, for any number of threads."""

    def __init__(self, degradations: Degradations, now: Clock = system_clock) -> None:
        self._degradations = degradations
        self._now = now
        self._level, self._wait = Level.NORMAL, Degradation().lower_after
        self._read_at = float("-inf")

    def takes(self, lane: Lane) -> bool:
        """Say whether messages of a lane are taken now."""
        return self.level().takes(lane)

    @property
    def takes_batches(self) -> bool:
        return self.level().takes_batches

    def refusal(self, what: str) -> Degraded:
        """Say that `what` is not taken now."""
        level = self._level
        return Degraded(int(level), level.label, what, self._wait)

    def level(self) -> Level:
        """Tell the level, a second old at most; while Redis is away it is normal: what needs Redis fails by itself."""
        now = time.monotonic()
        if now - self._read_at >= TRUST:
            self._read_at = now  # first, so that only one thread waits for a Redis that is silent
            try:
                known = self._degradations.read().state
            except StoreUnavailable:
                known = Degradation()
            self._level, self._wait = known.level_at(self._now()), known.lower_after
        return self._level
