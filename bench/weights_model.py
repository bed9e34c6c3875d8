"""Channels that do not exist, for the weights to be tried on: messages, answers, receipts and a clock, all made up."""

import math
import random
import statistics
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from smsgate.routing.carriers import Carrier
from smsgate.routing.observed import CALLS_WINDOW, RECEIPT_DUE, RECEIPTS_WINDOW, Observation
from smsgate.routing.pick import Standing, order
from smsgate.routing.table import Strategy
from smsgate.routing.traffic import Kind, Traffic, TrafficClass
from smsgate.routing.weights import State, step

# Shares of the mainland's subscribers, roughly.
CARRIERS: Final = {Carrier.MOBILE: 0.57, Carrier.TELECOM: 0.23, Carrier.UNICOM: 0.20}


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a channel behaves at a moment; times are medians, in ms and s."""

    errors: float = 0.03
    latency: float = 200.0
    delivered: float = 0.93
    receipt_delay: float = 4.0


WELL: Final = Conduct()
Course = Callable[[float, Carrier], Conduct]


@dataclass(slots=True)
class Second:
    """What one pair did in one second, by the second in which it began."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    delays: list[float] = field(default_factory=list)  # of receipts, each still to come; lost ones are infinite


class Gateway:
    """Sends `rate` messages a second over the channels, observes them and moves the weights, second by second."""

    def __init__(self, courses: Mapping[str, Course], rate: float = 50.0, seed: int = 1) -> None:
        self._courses, self._rate = courses, rate
        self._rng = random.Random(seed)
        self._seconds: dict[Kind, deque[Second]] = {}
        self.state = State()
        self.now = 0.0
        self.sent: dict[str, int] = {}

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self._send()
            self.now += 1.0
            seen = {pair: observe(known) for pair, known in self._seconds.items()}
            self.state = step(self.state, seen, self.now)

    def factor(self, channel: str) -> float:
        """Give a channel's factor, over all carriers by their shares."""
        return sum(share * self.state.factor(pair_of(channel, carrier)) for carrier, share in CARRIERS.items())

    def _send(self) -> None:
        self.sent = dict.fromkeys(self._courses, 0)
        for known in self._seconds.values():
            known.appendleft(Second())
        for _ in range(_poisson(self._rng, self._rate)):
            carrier = self._rng.choices(list(CARRIERS), list(CARRIERS.values()))[0]
            standings = [Standing(name, health=self.state.factor(pair_of(name, carrier))) for name in self._courses]
            channel = order(Strategy.WEIGHTED, standings, self._rng)[0]
            self.sent[channel] += 1
            self._call(pair_of(channel, carrier), self._courses[channel](self.now, carrier))

    def _call(self, pair: Kind, conduct: Conduct) -> None:
        kept = CALLS_WINDOW + RECEIPT_DUE + RECEIPTS_WINDOW
        second = self._seconds.setdefault(pair, deque([Second()], maxlen=kept))[0]
        second.latencies.append(conduct.latency * math.exp(self._rng.gauss(0.0, 0.5)))
        if self._rng.random() < conduct.errors:
            second.failed += 1
            return
        lost = self._rng.random() >= conduct.delivered
        second.delays.append(math.inf if lost else conduct.receipt_delay * math.exp(self._rng.gauss(0.0, 0.8)))


def pair_of(channel: str, carrier: Carrier) -> Kind:
    return Kind(channel, Traffic(TrafficClass.OTP, carrier))


def observe(seconds: Sequence[Second]) -> Observation:
    """Count what the sliding windows hold; the first second is the latest."""
    calls = list(seconds)[:CALLS_WINDOW]
    latencies = sorted(one for second in calls for one in second.latencies)
    failed = sum(second.failed for second in calls)
    old = list(enumerate(seconds))[RECEIPT_DUE : RECEIPT_DUE + RECEIPTS_WINDOW]
    here = [delay for age, second in old for delay in second.delays if delay <= age]
    return Observation(
        ok=len(latencies) - failed,
        failed=failed,
        latency_p50=_quantile(latencies, 0.5),
        latency_p95=_quantile(latencies, 0.95),
        due=sum(len(second.delays) for _, second in old),
        received=len(here),
        delivered=len(here),
        receipt_delay_p50=statistics.median(here) * 1000 if here else None,
    )


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _poisson(rng: random.Random, mean: float) -> int:
    count, left = 0, rng.expovariate(mean)
    while left < 1.0:
        count, left = count + 1, left + rng.expovariate(mean)
    return count
