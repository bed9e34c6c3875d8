"""What this process counts of its calls: since the last pulse, for all processes; and in its own windows, in case."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from smsgate.ledger.channel_health import Counts, field_of
from smsgate.ledger.keys import HEALTH_SLICE, HEALTH_TTL
from smsgate.routing.breaker import BreakerRule, Calls, Window, split
from smsgate.routing.health import DELAY, DELAYS, LATENCIES, LATENCY, METRIC, bucket
from smsgate.routing.traffic import Traffic
from smsgate.routing.verdict import FAILURES, HOPELESS, Verdict

# Seconds for which counts wait for a Redis that is away: later they would be taken for what happens then.
_KEPT: Final = 5.0
Sizes = Mapping[Traffic, int]


@dataclass(slots=True, eq=False)
class Flight:
    """A call under way; `is_slow` once it has been counted as slow."""

    began: float
    is_slow: bool = False


class Meter:
    """The counts of a process, for any number of threads; times are those of `time.monotonic`."""

    def __init__(self, rule: BreakerRule) -> None:
        self._rule = rule
        self._fields: dict[tuple[str, Traffic], str] = {}
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget everything: also what a parent process has counted, which it hands in itself."""
        self._lock = threading.Lock()
        self._counts = Counts()
        self._windows: dict[str, Window] = {}
        self._flights: dict[str, set[Flight]] = {}

    @property
    def is_due(self) -> bool:
        """Say whether there is anything to hand in, or a call under way that may become slow."""
        with self._lock:
            return bool(self._counts) or any(self._flights.values())

    def begin(self, name: str) -> Flight:
        """Note that a call of a breaker has begun."""
        flight = Flight(time.monotonic())
        with self._lock:
            self._flights.setdefault(name, set()).add(flight)
        return flight

    def end(self, name: str, flight: Flight, verdict: Verdict | None, reason: str) -> float:
        """Count how a call ended for its breaker, nothing of None; returns the seconds that it took."""
        now = time.monotonic()
        took = now - flight.began
        with self._lock:
            self._flights.get(name, set()).discard(flight)  # one that a fork left behind is nobody's here
            if verdict is None:
                return took
            for calls in self._both(name, now):
                self._count(calls, flight, verdict, took)
            if reason and verdict is not Verdict.REFUSED:
                self._counts.errors[split(name)[0]] = (time.time_ns() // 1_000_000, reason)
        return took

    def measure(self, channel: str, traffic: Traffic, verdict: Verdict, took: float, sizes: Sizes | None) -> None:
        """Count a call for the health of its channel; `sizes` are its messages by kind, one of `traffic` without."""
        field = self._field(channel, traffic)
        with self._lock:
            present = self._counts.health.setdefault(None, {})
            for name in (f"{field}{METRIC[verdict]}", f"{field}{LATENCY[bucket(LATENCIES, took)]}"):
                present[name] = present.get(name, 0) + 1
            if verdict is Verdict.OK:
                for kind, many in ({traffic: 1} if sizes is None else sizes).items():
                    name = f"{self._field(channel, kind)}sent"
                    present[name] = present.get(name, 0) + many

    def receipt(self, channel: str, traffic: Traffic, sent_at: int, received_at: int, *, delivered: bool) -> None:
        """Count a receipt where its message was sent; one that comes too late for that is passed over."""
        if received_at - sent_at >= HEALTH_TTL * 1000:
            return
        delay = max(received_at - sent_at, 0) / 1000
        field = self._field(channel, traffic)
        with self._lock:
            then = self._counts.health.setdefault(sent_at // 1000 // HEALTH_SLICE, {})
            for metric in ("delivered" if delivered else "undelivered", DELAY[bucket(DELAYS, delay)]):
                then[field + metric] = then.get(field + metric, 0) + 1

    def take(self) -> Counts:
        """Take what has been counted, calls that have become slow in flight among it."""
        now = time.monotonic()
        with self._lock:
            for name, flights in self._flights.items():
                self._note_slow(name, flights, now)
            counts, self._counts = self._counts, Counts()
        return counts

    def put_back(self, counts: Counts) -> None:
        """Keep what could not be handed in, unless it is too old."""
        if time.monotonic() - counts.since > _KEPT:
            return
        with self._lock:
            newer, self._counts = self._counts, counts
            for name, calls in newer.calls.items():
                counts.calls.setdefault(name, Calls()).add(calls)
            counts.errors.update(newer.errors)
            for number, fields in newer.health.items():
                there = counts.health.setdefault(number, {})
                for name, by in fields.items():
                    there[name] = there.get(name, 0) + by

    def own(self, name: str) -> Calls:
        """Add up this process's calls in the window."""
        now = time.monotonic()
        with self._lock:
            window = self._windows.get(name)
            return window.sum(now) if window else Calls()

    def forget(self, name: str) -> None:
        """Begin this process's window anew: its breaker has closed."""
        with self._lock:
            if name in self._windows:
                self._windows[name].clear()

    def names(self) -> list[str]:
        """Name the breakers that have been called through."""
        with self._lock:
            return list(self._flights)

    def _both(self, name: str, now: float) -> tuple[Calls, Calls]:
        window = self._windows.get(name)
        if window is None:
            window = self._windows[name] = Window(self._rule.window)
        calls = self._counts.calls.get(name)
        if calls is None:
            calls = self._counts.calls[name] = Calls()
        return calls, window.at(now)

    def _count(self, calls: Calls, flight: Flight, verdict: Verdict, took: float) -> None:
        if verdict in FAILURES:
            calls.failed += 1
            calls.slow -= flight.is_slow
        elif flight.is_slow or verdict in HOPELESS:
            pass  # it has been counted; or it opens the breaker by itself
        elif took > self._rule.slow_call_seconds:
            calls.slow += 1
        else:
            calls.ok += 1

    def _note_slow(self, name: str, flights: set[Flight], now: float) -> None:
        for flight in flights:
            if not flight.is_slow and now - flight.began > self._rule.slow_call_seconds:
                flight.is_slow = True
                for calls in self._both(name, now):
                    calls.slow += 1

    def _field(self, channel: str, traffic: Traffic) -> str:
        key = (channel, traffic)
        known = self._fields.get(key)
        if known is None:
            known = self._fields[key] = f"{field_of(channel, traffic)}|"
        return known
