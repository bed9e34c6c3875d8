"""A provider that throttles and a channel that is paced, both simulated: minutes pass in a second.

The clock is the simulation's own, and its chance has a fixed seed. `smsgate.routing.pacing` decides the rate, as the
script in Redis does; the booking of slots is modelled on that script. `python -m bench.throttling` draws it.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol

from bench import plot
from smsgate.routing.pacing import Cut, ahead, cut_down, effective, hold

AHEAD = 2.0
SPREAD = 30.0


class Provider(Protocol):
    """Takes a call at a time (seconds), or throttles it, where it takes `limit` calls a second."""

    def takes(self, at: float, limit: float) -> bool: ...


@dataclass(slots=True)
class Windows:
    """Counts by the second of its own clock."""

    phase: float = 0.37
    _second: int = -1
    _count: int = 0

    def takes(self, at: float, limit: float) -> bool:
        second = int(at + self.phase)
        if second != self._second:
            self._second, self._count = second, 0
        if self._count >= limit:
            return False
        self._count += 1
        return True


@dataclass(slots=True)
class Bucket:
    """Fills by the limit, up to `depth` seconds of it."""

    depth: float = 1.0
    _tokens: float = 1e9
    _at: float = 0.0

    def takes(self, at: float, limit: float) -> bool:
        self._tokens = min(self.depth * limit, self._tokens + (at - self._at) * limit)
        self._at = at
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass(slots=True)
class Slots:
    """What Redis keeps of a channel: the next slot, what was sent by tenths of a second, and the latest cut."""

    declared: float
    next: float = 0.0
    turn: float = 0.0
    cut: Cut | None = None
    cuts: int = 0
    sent: dict[int, list[int]] = field(default_factory=dict)

    def book(self, now: float) -> tuple[float, bool]:
        """Give a slot, or when to come again."""
        rate = self.rate(now)
        slot = max(now, self.next - int(0.01 * rate) / rate)
        most = ahead(self.cut, now, AHEAD)
        if slot > now + most:
            # Those who are told to come again come one after another, as far as half a minute from now.
            self.turn = max(self.turn, slot) + 1 / rate if self.turn < slot + SPREAD else slot + 1 / rate
            return self.turn - most, False
        self.next = max(self.next, now) + 1 / rate
        self.sent.setdefault(int(slot * 10), [0, 0])[0] += 1
        return slot, True

    def rate(self, now: float) -> float:
        return effective(self.declared, self.cut, now, self.accepted(now))

    def accepted(self, until: float) -> float:
        last = int(until * 10)
        tenths = [self.sent.get(last - back, (0, 0)) for back in range(11)]
        taken = [booked - throttled for booked, throttled in tenths]
        return sum(taken[:10]) + taken[10] * (1 - (until * 10 - last))

    def throttled(self, now: float, slot: float, cuts: int) -> None:
        """Take a report on the call of that slot, booked after so many cuts."""
        self.sent[int(slot * 10)][1] += 1
        if cuts == self.cuts:
            self.cut = cut_down(self.declared, self.cut, now, slot, self.accepted(slot))
            self.cuts += 1
            self.next = max(self.next, now + hold(self.cut, None))


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made: when, the rate then, and whether it was taken."""

    at: float
    rate: float
    taken: bool


@dataclass(slots=True)
class Scene:
    """`threads` that call one after another, `latency` seconds a call; `limit` and `demand` (a second) by the time."""

    provider: Provider
    limit: Callable[[float], float]
    declared: float
    demand: Callable[[float], float] = lambda _at: 1e6
    threads: int = 32
    latency: float = 0.05
    seed: int = 1

    def calls(self, seconds: float) -> Iterator[Call]:
        """Play for so many seconds."""
        chance, slots, wanted = Random(self.seed), Slots(self.declared), 0.0
        # When something happens, to which thread, and the call under way: its slot and the cuts before it.
        due: list[tuple[float, int, tuple[float, int] | None]] = [(0.0, one, None) for one in range(self.threads)]
        while due[0][0] < seconds:
            now, thread, under_way = heapq.heappop(due)
            if under_way is not None:
                taken = self.provider.takes(now, self.limit(now))
                yield Call(now, slots.rate(now), taken)
                if not taken:
                    slots.throttled(now + self.latency / 2, *under_way)
                wanted = max(wanted, now - 1) + 1 / self.demand(now)
                heapq.heappush(due, (max(wanted, now + self.latency / 2), thread, None))
                continue
            at, booked = slots.book(now)
            arrives = at + self.latency * chance.uniform(0.35, 0.8) if booked else at
            heapq.heappush(due, (arrives, thread, (at, slots.cuts) if booked else None))


def curves(calls: list[Call], limit: Callable[[float], float]) -> dict[str, tuple[list[float], list[float]]]:
    """Give what was allowed, and what was taken and throttled in each second, over the seconds."""
    seconds = range(int(calls[-1].at) + 1)
    taken, throttled = dict.fromkeys(seconds, 0), dict.fromkeys(seconds, 0)
    for call in calls:
        (taken if call.taken else throttled)[int(call.at)] += 1
    middle = [second + 0.5 for second in seconds]
    return {
        "the provider's limit": ([call.at for call in calls], [limit(call.at) for call in calls]),
        "rate allowed": ([call.at for call in calls], [call.rate for call in calls]),
        "taken": (middle, [float(count) for count in taken.values()]),
        "throttled": (middle, [float(count) for count in throttled.values()]),
    }


def draw(path: Path) -> None:
    """Draw what becomes of 400 calls a second where 100 are taken from the 10th second on, then 150, then all."""

    def limit(at: float) -> float:
        return next(calls for until, calls in ((10, 400.0), (60, 100.0), (100, 150.0), (1e9, 400.0)) if at < until)

    kinds: dict[str, Provider] = {
        "A provider that counts by the second of its clock": Windows(),
        "A provider with a bucket of one second": Bucket(),
        "A provider with a bucket of a tenth of a second": Bucket(depth=0.1),
    }
    panels = {title: curves(list(Scene(kind, limit, 400).calls(150)), limit) for title, kind in kinds.items()}
    plot.over_time(path, "calls a second", panels, top=450)


if __name__ == "__main__":
    draw(Path("docs/img/pacing.png"))
