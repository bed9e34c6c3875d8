"""How much the gateway does while it cannot do everything: named levels, and the rule that moves between them.

No I/O and no clock: a state and a measurement go in, a state comes out; times in Unix milliseconds.
"""

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum, auto
from typing import Annotated, Final

from pydantic import Field

from smsgate.message import Lane
from smsgate.routing.declared import Declared

# Milliseconds after which a level that the rule raised counts no more if nobody looked again: without beat, doors that
# it has closed would never open.
STALE: Final = 60_000


class Hold(StrEnum):
    """What a level does to a lane."""

    GOES = auto()
    TRICKLES = auto()  # a message or a chunk at a time
    STANDS = auto()


class Level(IntEnum):
    """How far the gateway is degraded; each level does what those below it do, and more."""

    NORMAL = 0
    BULK_PAUSED = 1
    NOTICES_DELAYED = 2  # and batches are refused at the door
    ONLY_CODES = 3

    @property
    def label(self) -> str:
        """Its name as users read it."""
        return self.name.lower()

    def hold_of(self, lane: Lane) -> Hold:
        """Say what becomes of a lane's messages that have been accepted."""
        if lane is Lane.BULK and self >= Level.BULK_PAUSED:
            return Hold.STANDS
        if lane is Lane.NOTICE and self >= Level.NOTICES_DELAYED:
            return Hold.STANDS if self is Level.ONLY_CODES else Hold.TRICKLES
        return Hold.GOES

    def takes(self, lane: Lane) -> bool:
        """Say whether the door takes messages of a lane."""
        return self is not Level.ONLY_CODES or lane is Lane.OTP

    @property
    def takes_batches(self) -> bool:
        """Whether the door takes batches, of whichever lane."""
        return self < Level.NOTICES_DELAYED


Seconds = Annotated[float, Field(gt=0)]


class DegradationRule(Declared):
    """When the gateway degrades by itself; times in seconds.

    Somebody waits for a code, page in hand: after 5 s they look at the phone again, after 20 s they ask for another,
    which makes it worse. A notice may be minutes late; bulk messages then give way to it. A level is raised one at a
    time after there was a reason for `raise_after`, and lowered one at a time after `lower_after` of calm: what waits
    is younger than `calm` of the age that raises it.
    """

    enabled: bool = True
    codes_bulk_paused: Seconds = 5.0
    codes_notices_delayed: Seconds = 10.0
    codes_only: Seconds = 20.0
    notices_bulk_paused: Seconds = 300.0
    channels: float = Field(default=0.5, ge=0, le=1)  # fewer than this share can be called: bulk is paused
    raise_after: float = Field(default=5.0, ge=0)
    lower_after: float = Field(default=30.0, ge=0)
    calm: float = Field(default=0.5, gt=0, le=1)


@dataclass(frozen=True, slots=True)
class Measured:
    """What is looked at: seconds for which the oldest code and the oldest notice wait, and the channels.

    `callable` is how many of `channels` can be called, `no_channel` that of those that carry codes none can be.
    """

    codes: float = 0.0
    notices: float = 0.0
    channels: int = 1
    callable: int = 1
    no_channel: bool = False


@dataclass(frozen=True, slots=True)
class Fixed:
    """A level that an operator wants, until it is released."""

    level: Level
    since: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Degradation:
    """Where the rule stands, `above` and `below` since when a measurement speaks for another level; `at` of the last.

    `lower_after` is that of the rule, in seconds: what a caller who is refused is told to wait.
    """

    rule_level: Level = Level.NORMAL
    rule_since: int = 0
    rule_why: str = ""
    above: int | None = None
    below: int | None = None
    at: int = 0
    lower_after: float = 30.0
    fixed: Fixed | None = None

    @property
    def level(self) -> Level:
        return self.fixed.level if self.fixed else self.rule_level

    @property
    def since(self) -> int:
        return self.fixed.since if self.fixed else self.rule_since

    @property
    def why(self) -> str:
        return self.fixed.reason if self.fixed else self.rule_why

    def level_at(self, now: int) -> Level:
        """Say which level holds now: one that the rule raised, and looks after no more, does not."""
        return self.level if self.fixed or now - self.at < STALE else Level.NORMAL

    def fix(self, level: Level, reason: str, now: int) -> "Degradation":
        return replace(self, fixed=Fixed(level, now, reason))

    def release(self) -> "Degradation":
        """Let the rule have its way again, which has gone on measuring meanwhile."""
        return replace(self, fixed=None)


def wanted(rule: DegradationRule, measured: Measured, share: float = 1.0) -> tuple[Level, str]:
    """Say which level a measurement speaks for, and why; `share` of the ages that the rule has is enough."""
    codes, waited = measured.codes, f"a code has waited for {measured.codes:.0f} s"
    reasons = (
        (Level.ONLY_CODES, codes > rule.codes_only * share, waited),
        (Level.NOTICES_DELAYED, codes > rule.codes_notices_delayed * share, waited),
        (Level.NOTICES_DELAYED, measured.no_channel, "no channel can be called for codes"),
        (Level.BULK_PAUSED, codes > rule.codes_bulk_paused * share, waited),
        (
            Level.BULK_PAUSED,
            measured.notices > rule.notices_bulk_paused * share,
            f"a notice has waited for {measured.notices:.0f} s",
        ),
        (
            Level.BULK_PAUSED,
            measured.callable < rule.channels * measured.channels,
            f"{measured.callable} of {measured.channels} channels can be called",
        ),
    )
    return next(((level, why) for level, speaks, why in reasons if speaks), (Level.NORMAL, ""))


def step(state: Degradation, rule: DegradationRule, measured: Measured, now: int) -> Degradation:
    """Draw the conclusion of a measurement: the same level, or the next one up or down."""
    state = replace(state, at=now, lower_after=rule.lower_after)
    if not rule.enabled:
        level = state.rule_level
        since = now if level is not Level.NORMAL else state.rule_since
        return replace(state, rule_level=Level.NORMAL, rule_since=since, rule_why="", above=None, below=None)
    level = state.rule_level
    most, why = wanted(rule, measured)
    if most > level:
        above = _since(state.above, now)
        if now - above < rule.raise_after * 1000:
            return replace(state, above=above, below=None)
        again = now if most > level + 1 else None
        return replace(state, rule_level=Level(level + 1), rule_since=now, rule_why=why, above=again, below=None)
    needed = wanted(rule, measured, rule.calm)[0]
    if needed >= level:
        return replace(state, above=None, below=None)
    below = _since(state.below, now)
    if now - below < rule.lower_after * 1000:
        return replace(state, above=None, below=below)
    lower = Level(level - 1)
    told = "" if lower is Level.NORMAL else state.rule_why
    again = now if needed < lower else None
    return replace(state, rule_level=lower, rule_since=now, rule_why=told, above=None, below=again)


def _since(known: int | None, now: int) -> int:
    """Go on counting; a time to come is one of a clock that was ahead."""
    return now if known is None else min(known, now)
