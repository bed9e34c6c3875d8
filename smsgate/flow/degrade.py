"""Measure how well codes and notices get through, and draw the conclusion: the level of degradation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.watch import Watch
from smsgate.flow.ways import Ways
from smsgate.ledger.backlog import Backlog
from smsgate.ledger.degradations import Change, Degradations, Known
from smsgate.ledger.lanes import By, Lanes
from smsgate.message import Lane
from smsgate.routing.breaker import Phase
from smsgate.routing.degradation import Degradation, DegradationRule, Level, Measured, step

log = structlog.get_logger()

# Milliseconds after which a level that stays is noted again: one that nobody notes counts no more (see STALE).
_NOTE_EVERY: Final = 10_000
RULE: Final = "rule"
HAND: Final = "hand"


@dataclass(frozen=True, slots=True)
class Degrade:
    """Look once; called each second."""

    degradations: Degradations
    backlog: Backlog
    lanes: Lanes
    ways: Ways
    watch: Watch
    rule: Callable[[], DegradationRule]
    now: Clock = system_clock

    def __call__(self) -> Level:
        """Step to the level that holds from now on, by the rule.

        Two at once do no harm: the one that comes second finds that somebody was faster, and leaves it so.

        Raises:
            StoreUnavailable: The level stays as it was.
        """
        known, now = self.degradations.read(), self.now()
        state = step(known.state, self.rule(), self.measured(now), now)
        if _is_news(known.state, state):
            moved(self.degradations, known, state, RULE, now)
        return state.level

    def measured(self, now: int) -> Measured:
        """Measure; a lane that a hand or its brake holds waits for other reasons than ours."""
        ages, pauses = self.backlog.ages(now), self.lanes.pauses()
        held = {lane for lane, pause in pauses.items() if pause.by in {By.HAND, By.BRAKE}}
        profiles = self.ways.network.table.profiles
        open_ones = [one for one in profiles if self._can_be_called(one.name)]
        return Measured(
            codes=0.0 if Lane.OTP in held else ages[Lane.OTP],
            notices=0.0 if Lane.NOTICE in held else ages[Lane.NOTICE],
            channels=len(profiles),
            callable=len(open_ones),
            no_channel=not any(Lane.OTP in one.lanes for one in open_ones),
        )

    def _can_be_called(self, channel: str) -> bool:
        """Say whether anybody may call a channel, not only a probe; one that is slow still carries codes, late."""
        standing = self.watch.peek(channel)
        return not standing.is_paused and (standing.phase is Phase.CLOSED or standing.is_slow)


def fix(degradations: Degradations, level: Level | None, reason: str, now: int) -> Degradation:
    """Set the level by hand, or with None let the rule have its way again.

    Raises:
        StoreUnavailable: Redis is away.
    """
    while True:
        known = degradations.read()
        state = known.state.release() if level is None else known.state.fix(level, reason, now)
        if moved(degradations, known, state, HAND, now):
            return state


def moved(degradations: Degradations, known: Known, state: Degradation, by: str, now: int) -> bool:
    """Store a state, and tell of the level if it is another one; False when somebody was faster."""
    before = known.state.level
    why = _reason(before, state, by)
    change = Change(now, before, state.level, by, why) if state.level != before else None
    if not degradations.replace(known, state, change):
        return False
    if change is not None:
        tell = log.critical if state.level is Level.ONLY_CODES else log.warning
        tell("level_changed", before=int(before), after=int(state.level), name=state.level.label, by=by, why=why)
    return True


def _reason(before: Level, state: Degradation, by: str) -> str:
    if by == RULE:
        return "calm" if state.level < before else state.why
    return state.why if state.fixed else "back to the rule"


def _is_news(before: Degradation, after: Degradation) -> bool:
    marks = [(one.rule_level, one.above, one.below, one.lower_after) for one in (before, after)]
    is_due = after.rule_level is not Level.NORMAL and after.at - before.at >= _NOTE_EVERY
    return marks[0] != marks[1] or is_due
