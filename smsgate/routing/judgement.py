"""What factors the evidence allows for a pair: compared with what is usual for it, and with its peers now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from smsgate.routing.evidence import NOTHING, Metric, Sample

# The share of its traffic that a pair keeps however ill it is, so that it is seen when it is well again.
FLOOR: Final = 0.02
# Standard errors. A pair that is whole falls only for what is surely bad: it is looked at 86,400 times a day. One that
# has fallen is under suspicion, and is believed to be bad with 95 in 100, or to be no longer bad with 84 in 100: at its
# least traffic more would take minutes, and rises are slow enough to find out.
Z_WHOLE: Final = 3.5
Z_FALLEN: Final = 1.64
Z_UP: Final = 1.0
# Remembered observations below which a figure says nothing; from which a peer is one to be compared with; and in a
# window, from which this moment's figure of a peer counts beside what is remembered.
LEAST: Final = 3.0
LEAST_OF_A_PEER: Final = 10.0
LEAST_OF_A_WINDOW: Final = 20.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How far above what is to be expected a figure is tolerated (factor 1), and is ruinous (factor `FLOOR`).

    `excused` is how far a pair's usual value may lie above its best peer's: who was always bad is bad all the same.
    """

    tolerated: float
    ruinous: float
    excused: float


SCALES: Final = {
    Metric.ERRORS: Scale(0.05, 0.12, 0.05),
    Metric.LATENCY: Scale(1.1, 1.8, 1.6),  # × 3, × 6, × 5
    Metric.MISSING: Scale(0.10, 0.25, 0.25),
    Metric.DELAY: Scale(1.4, 2.3, 1.6),  # × 4, × 10, × 5
}
# The error rate of a channel that is not known yet, and the most that is ever usual. No other figure has such a value.
ERRORS_AT_FIRST: Final = 0.02
MOST_ERRORS: Final = 0.05


class Allowed(NamedTuple):
    """The factors that agree with the evidence: above `top` it is surely too high, below `bottom` probably too low."""

    bottom: float
    top: float


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of a pair: its factor, the windows of now, what is remembered of them, what is usual."""

    factor: float
    now: Mapping[Metric, Sample]
    memory: Mapping[Metric, Sample]
    usual: Mapping[Metric, float]

    def seen_of(self, metric: Metric) -> float:
        return self.memory.get(metric, NOTHING).n

    def worst(self, metric: Metric) -> float | None:
        """Give the figure by which others are excused: the worse of now and lately, None when too little is known."""
        now, memory = self.now.get(metric, NOTHING), self.memory.get(metric, NOTHING)
        if memory.n < LEAST_OF_A_PEER:
            return None
        return max(now.value, memory.value) if now.n >= LEAST_OF_A_WINDOW else memory.value


def judge(known: Known, peers: Iterable[Known]) -> Allowed | None:
    """Tell which factors agree with the evidence; None where there is too little of any.

    `peers` are the other channels on their way to the same carrier, for the same lanes.
    """
    others = tuple(peers)
    found = [_by(metric, known, others) for metric in Metric if known.seen_of(metric) >= LEAST]
    judged = [allowed for allowed in found if allowed is not None]
    if not judged:
        return None
    return Allowed(min(one.bottom for one in judged), min(one.top for one in judged))


def _by(metric: Metric, known: Known, peers: Iterable[Known]) -> Allowed | None:
    best = min((value for peer in peers if (value := peer.worst(metric)) is not None), default=None)
    own = _own(metric, known, best)
    expected = max((value for value in (own, best) if value is not None), default=None)
    if expected is None or (metric is Metric.MISSING and metric not in known.usual):
        return None
    scale = SCALES[metric]
    # Where even the best peer is ill, who fell first need not prove that he is well, only that he is no worse.
    all_ill = own is not None and expected > own + scale.tolerated
    z_down = Z_WHOLE if known.factor == 1.0 else Z_FALLEN
    low, high = _bounds(metric, known, z_down, 0.0 if all_ill else Z_UP)
    return Allowed(_factor(high - expected, scale), _factor(low - expected, scale))


def _own(metric: Metric, known: Known, best: float | None) -> float | None:
    """Give what is usual for a pair, as far as that excuses it."""
    own = known.usual.get(metric, ERRORS_AT_FIRST if metric is Metric.ERRORS else None)
    if own is None:
        return None
    if metric is Metric.ERRORS:
        own = min(own, MOST_ERRORS)
    return own if best is None else min(own, best + SCALES[metric].excused)


def _bounds(metric: Metric, known: Known, z_low: float, z_high: float) -> tuple[float, float]:
    """Say between what the truth lies, by the window and by what is remembered: where they disagree, it has changed."""
    memory = known.memory[metric]
    low, high = memory.bounds(metric, z_low)[0], memory.bounds(metric, z_high)[1]
    now = known.now.get(metric)
    if now is None:
        return low, high
    low_now, high_now = now.bounds(metric, z_low)[0], now.bounds(metric, z_high)[1]
    if low > high_now:
        return low_now, high_now
    return max(low, low_now), min(high, high_now)


def _factor(excess: float, scale: Scale) -> float:
    """Turn what is above the expected into a factor: 1 up to what is tolerated, `FLOOR` from what is ruinous."""
    ill = (excess - scale.tolerated) / (scale.ruinous - scale.tolerated)
    return 1.0 - (1.0 - FLOOR) * min(1.0, max(0.0, ill))
