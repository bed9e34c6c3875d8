"""How much is known of a figure: samples, what they say at the least and at the most, and how they fade."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from smsgate.routing.observed import CALLS_WINDOW, RECEIPTS_WINDOW, Observation

# Seconds in which what is remembered fades to half: a pair at its least traffic (0.3 messages a second) still keeps
# some 14 calls in mind, and a trouble that is over is nearly forgotten after a minute and a half.
HALF_LIFE: Final = 30.0
# Calls that are faster than this and receipts that are here sooner are all the same to a person who waits; ms.
FAST_CALL: Final = 200.0
FAST_RECEIPT: Final = 5_000.0
# z of the normal distribution's 95th percentile, and the standard error of a sample's 95th percentile in σ/√n:
# √(0.95·0.05)/φ(1.645). Of a median it is 1.25. Receipts' delays have a σ of about 1 (a factor of e).
_Z_95: Final = 1.645
_ERROR_P95: Final = 2.11
_ERROR_MEDIAN: Final = 1.25
_DELAY_SIGMA: Final = 1.0
# Few calls lie close together by chance, and seem to be sure: what they vary by is taken together with what latencies
# mostly do, as if so many calls had shown it.
_USUAL_SIGMA: Final = 0.7
_USUAL_CALLS: Final = 20


class Metric(StrEnum):
    """What is looked at. Rates lie between 0 and 1; times are natural logarithms of ms, so that factors become sums."""

    ERRORS = "errors"
    LATENCY = "latency"
    MISSING = "missing"
    DELAY = "delay"

    @property
    def is_rate(self) -> bool:
        return self in {Metric.ERRORS, Metric.MISSING}


# Those that are of receipts.
RECEIPTS: Final = (Metric.MISSING, Metric.DELAY)
WINDOWS: Final = {
    Metric.ERRORS: CALLS_WINDOW,
    Metric.LATENCY: CALLS_WINDOW,
    Metric.MISSING: RECEIPTS_WINDOW,
    Metric.DELAY: RECEIPTS_WINDOW,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A figure and on how much it rests; `error` is the standard error that one observation would have (times only)."""

    n: float
    value: float
    error: float = 0.0

    def bounds(self, metric: Metric, z: float) -> tuple[float, float]:
        """Tell between which values the truth lies, at `z` standard errors: Chernoff's for rates, log-normal for times.

        Chernoff's bounds of a binomial hold for few as for many. Wilson's do not: they take one failure of one call for
        a rate above 0.1, where it is a thing of every day at a rate of 0.03.
        """
        if metric.is_rate:
            rate, far = min(1.0, max(0.0, self.value)), z * z / 2 / self.n
            return _edge(rate, far, 0.0), _edge(rate, far, 1.0)
        margin = z * self.error / math.sqrt(self.n)
        return self.value - margin, self.value + margin


NOTHING: Final = Sample(0.0, 0.0)
# Halvings of an interval between 0 and 1: to a ten-thousandth.
_HALVINGS: Final = 14


def _edge(rate: float, far: float, end: float) -> float:
    """Find the rate towards `end` that makes the seen one as unlikely as `far` says, by halving."""
    near = rate
    for _ in range(_HALVINGS):
        middle = (near + end) / 2
        if _divergence(rate, middle) < far:
            near = middle
        else:
            end = middle
    return near


def _divergence(seen: float, true: float) -> float:
    """Kullback and Leibler's, of two coins: the chance to see a rate of `seen` in n is about exp(-n × this)."""
    heads = seen * math.log(seen / true) if seen > 0 else 0.0
    tails = (1 - seen) * math.log((1 - seen) / (1 - true)) if seen < 1 else 0.0
    return heads + tails


def samples(seen: Observation) -> Iterator[tuple[Metric, Sample]]:
    """Turn what was counted into figures; those without any count are left out."""
    calls = seen.ok + seen.failed
    if calls:
        yield Metric.ERRORS, Sample(calls, seen.failed / calls)
    if calls and seen.latency_p95:
        yield Metric.LATENCY, _latency(calls, seen.latency_p50 or seen.latency_p95, seen.latency_p95)
    if seen.due:
        yield Metric.MISSING, Sample(seen.due, max(0.0, 1 - seen.delivered / seen.due))
    if seen.received and seen.receipt_delay_p50:
        delay = math.log(max(FAST_RECEIPT, seen.receipt_delay_p50))
        yield Metric.DELAY, Sample(seen.received, delay, _ERROR_MEDIAN * _DELAY_SIGMA)


def _latency(calls: int, p50: float, p95: float) -> Sample:
    shown = math.log(max(1.0, p95 / p50)) / _Z_95
    variance = (calls * shown**2 + _USUAL_CALLS * _USUAL_SIGMA**2) / (calls + _USUAL_CALLS)
    return Sample(calls, math.log(max(FAST_CALL, p95)), _ERROR_P95 * math.sqrt(variance))


def together(parts: Iterable[Mapping[Metric, Sample]]) -> dict[Metric, Sample]:
    """Put the samples of several carriers together, each by what it rests on."""
    found: dict[Metric, Sample] = {}
    for metric, sample in (item for part in parts for item in part.items()):
        found[metric] = _joined(found.get(metric, NOTHING), sample.n, sample)
    return found


def _joined(one: Sample, n: float, other: Sample) -> Sample:
    """Add `n` observations that show what `other` does."""
    share = n / (one.n + n)
    return Sample(
        one.n + n,
        one.value + share * (other.value - one.value),
        one.error + share * (other.error - one.error),
    )


def remember(metric: Metric, memory: Sample, seen: Sample, seconds: float) -> Sample:
    """Add what a sliding window shows to what is remembered, `seconds` after the step before.

    Each call is in the window for all its length, so that a step adds the part of it that the step is long.
    """
    kept = memory.n * 0.5 ** (seconds / HALF_LIFE)
    added = seen.n * min(1.0, seconds / WINDOWS[metric])
    return _joined(replace(memory, n=kept), added, seen) if kept + added > 0 else NOTHING
