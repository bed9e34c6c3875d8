"""How the weights of channels follow their health: once a second, in bounded steps, state in and state out.

Each pair (channel, carrier, codes or not) has a factor between `FLOOR` and 1 that its declared weight is multiplied by.
docs/routing.md tells the reasons, and shows what comes of it.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from smsgate.routing.evidence import NOTHING, Metric, Sample, remember, samples, together
from smsgate.routing.judgement import FLOOR, MOST_ERRORS, Allowed, Known, judge
from smsgate.routing.observed import Observations
from smsgate.routing.traffic import Kind, Traffic

# Of a whole factor, a second. A fall that was wrong costs nothing, since others carry the traffic, and one that comes
# late costs messages: 3.3 s from whole to floor. A rise is a slow start: by a tenth of what the pair has, and no more
# than RISE, so that a pair that only seemed well shows it while it has little: 40 s from floor to whole.
FALL: Final = 0.30
RISE: Final = 0.05
SLOW_START: Final = 0.10
# What is ill and hardly seen rises by this: 8 minutes from floor to whole. Who has no traffic at all, because his lane
# is silent or his breaker open, must not be thought ill for ever.
DRIFT: Final = 0.002
LITTLE: Final = 10.0
# Remembered calls from which a pair is judged by itself alone. One with fewer is also judged as its channel is over all
# carriers: at two messages a second 30 % errors show so in two minutes, and by a small carrier alone hardly ever.
ENOUGH: Final = 60.0
# Differences below this move nothing.
DEAD_BAND: Final = 0.02
# Seconds that one step may stand for, however late it comes: a chore that was away must not leap.
LONGEST_STEP: Final = 2.0
# Seconds in which what is usual for a pair follows what is seen of it, while it is well, and the observations for it to
# begin with. A pair that was not seen for a day is forgotten.
USUAL: Final = 600.0
LEAST_TO_BE_USUAL: Final = 30.0
FORGOTTEN: Final = 24 * 3600.0
# Whoever never delivered half of what it should has no receipts that tell anything, mostly since none are set up.
MOST_MISSING_AT_FIRST: Final = 0.5


@dataclass(frozen=True, slots=True)
class Health:
    """One pair's: its factor, what is remembered and what is usual, and the time at which it was last seen."""

    factor: float = 1.0
    seen_at: float = 0.0
    memory: Mapping[Metric, Sample] = field(default_factory=dict)
    usual: Mapping[Metric, float] = field(default_factory=dict)

    def without(self, metrics: Container[Metric]) -> "Health":
        """Forget what was seen by some metrics."""
        memory = {metric: one for metric, one in self.memory.items() if metric not in metrics}
        usual = {metric: one for metric, one in self.usual.items() if metric not in metrics}
        return replace(self, memory=memory, usual=usual)


WELL: Final = Health()


@dataclass(frozen=True, slots=True)
class State:
    """All pairs' health at a time in seconds; `wholes` is channels' over all carriers, under a pair without one."""

    at: float = 0.0
    pairs: Mapping[Kind, Health] = field(default_factory=lambda: MappingProxyType({}))
    wholes: Mapping[Kind, Health] = field(default_factory=lambda: MappingProxyType({}))

    def factor(self, pair: Kind) -> float:
        """Give what the declared weight is to be multiplied by; 1 for a pair that nothing is known of."""
        return self.pairs.get(pair, WELL).factor

    def without(self, metrics: Container[Metric]) -> "State":
        """Forget what was seen by some metrics: they do not count any more."""
        pairs, wholes = (
            {kind: health.without(metrics) for kind, health in kinds.items()} for kinds in (self.pairs, self.wholes)
        )
        return replace(self, pairs=pairs, wholes=wholes)


Seen = Mapping[Kind, Mapping[Metric, Sample]]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A pair between what is known and what comes of it."""

    known: Known
    allowed: Allowed | None
    seen_at: float


def step(state: State, observations: Observations, now: float) -> State:
    """Move every factor by what is seen at `now`, in seconds of a clock that all callers share.

    Call it once a second, with every pair that has anything in its windows. A late call moves no more than
    `LONGEST_STEP` seconds' worth, and a clock that goes back moves nothing.
    """
    seconds = min(LONGEST_STEP, max(0.0, now - state.at))
    seen = {pair: dict(samples(one)) for pair, one in observations.items()}
    wholes = _judged(state.wholes, _by_channel(seen), now, seconds)
    pairs = _judged(state.pairs, seen, now, seconds)
    for pair, one in pairs.items():
        whole = wholes.get(pair.over_all_carriers)
        if whole and one.known.seen_of(Metric.ERRORS) < ENOUGH:
            pairs[pair] = replace(one, allowed=_both(one.allowed, whole.allowed))
    return State(now, _health(pairs, seconds), _health(wholes, seconds))


def _by_channel(seen: Seen) -> Seen:
    parts: dict[Kind, list[Mapping[Metric, Sample]]] = {}
    for pair, one in seen.items():
        parts.setdefault(pair.over_all_carriers, []).append(one)
    return {whole: together(ones) for whole, ones in parts.items()}


def _judged(before: Mapping[Kind, Health], seen: Seen, now: float, seconds: float) -> dict[Kind, _Judged]:
    """Judge all that is seen or not yet forgotten, each beside its peers."""
    kept = (pair for pair, health in before.items() if now - health.seen_at < FORGOTTEN)
    known = {pair: _know(before.get(pair, WELL), seen.get(pair, {}), seconds) for pair in {*seen, *kept}}
    peers: dict[Traffic, list[Known]] = {}
    for pair, one in known.items():
        peers.setdefault(pair.traffic, []).append(one)
    return {
        pair: _Judged(
            one,
            judge(one, [other for other in peers[pair.traffic] if other is not one]),
            now if pair in seen else before[pair].seen_at,
        )
        for pair, one in known.items()
    }


def _know(before: Health, now: Mapping[Metric, Sample], seconds: float) -> Known:
    memory = {
        metric: remember(metric, before.memory.get(metric, NOTHING), now.get(metric, NOTHING), seconds)
        for metric in {*now, *before.memory}
    }
    return Known(before.factor, now, memory, before.usual)


def _both(one: Allowed | None, other: Allowed | None) -> Allowed | None:
    if one is None or other is None:
        return one or other
    return Allowed(min(one.bottom, other.bottom), min(one.top, other.top))


def _health(judged: Mapping[Kind, _Judged], seconds: float) -> Mapping[Kind, Health]:
    return MappingProxyType({pair: _after(one, seconds) for pair, one in judged.items()})


def _after(judged: _Judged, seconds: float) -> Health:
    known, allowed = judged.known, judged.allowed
    factor = _moved(known, allowed, seconds)
    well = known.factor == factor == 1.0 and (allowed is None or allowed.top == 1.0)
    usual = _learnt(known, seconds) if well else known.usual
    return Health(factor, judged.seen_at, known.memory, usual)


def _moved(known: Known, allowed: Allowed | None, seconds: float) -> float:
    """Move a factor towards what is allowed, and no further than its edge."""
    factor = known.factor
    bottom, top = allowed or Allowed(FLOOR, 1.0)
    if factor - top > DEAD_BAND:
        return max(top, factor - FALL * seconds)
    if bottom - factor > DEAD_BAND or bottom == 1.0:
        return min(bottom, factor + min(RISE, SLOW_START * factor) * seconds)
    if known.seen_of(Metric.ERRORS) < LITTLE:
        return min(1.0, factor + DRIFT * seconds)
    return factor


def _learnt(known: Known, seconds: float) -> Mapping[Metric, float]:
    """Let what is usual follow what is seen of a pair that is well."""
    usual = dict(known.usual)
    for metric, memory in known.memory.items():
        if memory.n < LEAST_TO_BE_USUAL:
            continue
        before = usual.get(metric)
        if before is not None:
            usual[metric] = before + (memory.value - before) * min(1.0, seconds / USUAL)
        elif metric is Metric.ERRORS:
            usual[metric] = min(MOST_ERRORS, memory.value)
        elif metric is not Metric.MISSING or memory.value <= MOST_MISSING_AT_FIRST:
            usual[metric] = memory.value
    return usual
