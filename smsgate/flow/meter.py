"""What this process counts of its calls: since the last pulse, for all processes; and in its own windows, in case."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from smsgate.ledger.channel_health import Counts
from smsgate.ledger.keys import HEALTH_SLICE, HEALTH_TTL
from smsgate.routing.breaker import BreakerRule, Calls, Window
from smsgate.routing.health import DELAY, DELAYS, LATENCIES, LATENCY, METRIC, METRICS, bucket
from smsgate.routing.traffic import Kind, Traffic
from smsgate.routing.verdict import FAILURES, HOPELESS, Verdict

# Seconds for which counts wait for a Redis that is away: later they would be taken for what happens then.
_KEPT: Final = 5.0
# Calls under way, and the seconds without an answer to any, after which messages go elsewhere if they can: a provider
# that hangs would have every thread of the process waiting for it before a call is so much as slow.
STALLED_CALLS: Final = 8
STALLED_FOR: Final = 0.5
# Messages that a call carries, by what they are; without it one of the kind that the call is.
Sizes = Mapping[Traffic, int]


@dataclass(slots=True, eq=False)
class Flight:
    """A call under way; `is_slow` once it has been counted as slow."""

    among: set["Flight"]
    began: float = field(default_factory=time.monotonic)
    is_slow: bool = False


class Meter:
    """The counts of a process, for any number of threads; times are those of `time.monotonic`."""

    def __init__(self, rule: BreakerRule) -> None:
        self._slow = rule.slow_call_seconds
        self._window = rule.window
        self._fields: dict[tuple[str, Traffic], Mapping[str, str]] = {}
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget everything: also what a parent process has counted, which it hands in itself."""
        self._lock = threading.Lock()
        self._counts = Counts()
        self._kept = Counts()
        self._windows: dict[str, Window] = {}
        self._since_well: dict[str, tuple[float, Calls]] = {}  # when the first of them was handed in
        self._flights: dict[str, set[Flight]] = {}
        self._ended_at: dict[str, float] = {}

    @property
    def is_due(self) -> bool:
        """Say whether there is anything to hand in, or a call under way that may become slow."""
        with self._lock:
            return bool(self._counts) or bool(self._kept) or any(self._flights.values())

    def begin(self, name: str) -> Flight:
        """Note that a call of a breaker has begun."""
        flights = self._flights.get(name)
        if flights is None:
            with self._lock:
                flights = self._flights.setdefault(name, set())
        flight = Flight(flights)
        flights.add(flight)
        return flight

    def end(self, name: str, flight: Flight, verdict: Verdict) -> float:
        """Count for its breaker how a call ended; gives the seconds that it took."""
        took = time.monotonic() - flight.began
        flight.among.discard(flight)
        self._ended_at[name] = flight.began + took
        with self._lock:
            counts = self._counts.calls
            calls = counts.get(name)
            if calls is None:
                calls = counts[name] = Calls()
            self._count(calls, flight, verdict, took)
        return took

    def measure(self, channel: str, traffic: Traffic, verdict: Verdict, took: float, sizes: Sizes | None) -> None:
        """Count a call for the health of its channel."""
        fields = self._fields_of(channel, traffic)
        counted = [(fields[METRIC[verdict]], 1), (fields[LATENCY[bucket(LATENCIES, took)]], 1)]
        if verdict is Verdict.OK and sizes is None:
            counted.append((fields["sent"], 1))
        elif verdict is Verdict.OK and sizes is not None:
            counted.extend((self._fields_of(channel, kind)["sent"], many) for kind, many in sizes.items())
        with self._lock:
            present = self._counts.present
            for name, by in counted:
                present[name] = present.get(name, 0) + by

    def blame(self, channel: str, reason: str) -> None:
        """Keep the latest error of a channel, for operators."""
        with self._lock:
            self._counts.errors[channel] = (time.time_ns() // 1_000_000, reason)

    def receipt(self, channel: str, traffic: Traffic, sent_at: int, received_at: int, *, delivered: bool) -> None:
        """Count a receipt where its message was sent; one that comes too late for that is passed over."""
        if received_at - sent_at >= HEALTH_TTL * 1000:
            return
        delay = max(received_at - sent_at, 0) / 1000
        fields = self._fields_of(channel, traffic)
        with self._lock:
            then = self._counts.then.setdefault(sent_at // 1000 // HEALTH_SLICE, {})
            for metric in ("delivered" if delivered else "undelivered", DELAY[bucket(DELAYS, delay)]):
                then[fields[metric]] = then.get(fields[metric], 0) + 1

    def take(self) -> Counts:
        """Take what has been counted, calls that have become slow in flight among it."""
        now = time.monotonic()
        with self._lock:
            self._note_slow(now)
            counts, self._counts = self._counts, Counts()
            for name, calls in counts.calls.items():
                self._window_of(name).at(now).add(calls)
                began, _ = self._since_well.get(name, (now, calls))
                self._since_well[name] = (began, self._after(name, calls, now))
                if calls.ok or now - began >= self._window:
                    self._since_well[name] = (now, self._since_well[name][1])
            kept, self._kept = self._kept, Counts()
            if kept and now - kept.since < _KEPT:
                kept.add(counts)
                return kept
        return counts

    def put_back(self, counts: Counts) -> None:
        """Keep what could not be handed in, for a while."""
        with self._lock:
            self._kept = counts

    def own(self, name: str) -> Calls:
        """Add up this process's calls in the window."""
        with self._lock:
            total = self._window_of(name).sum(time.monotonic())
            total.add(self._counts.calls.get(name, Calls()))
        return total

    def own_since_well(self, name: str) -> Calls:
        """Count this process's calls since one went well, as they were handed in."""
        with self._lock:
            return self._after(name, self._counts.calls.get(name, Calls()), time.monotonic())

    def forget(self, name: str) -> None:
        """Begin this process's window anew: its breaker has closed."""
        with self._lock:
            self._window_of(name).clear()
            self._since_well.pop(name, None)

    def is_stalled(self, name: str) -> bool:
        """Say whether many calls are under way of which none came back for a while, as all others of their time did."""
        flights = self._flights.get(name, ())
        if len(flights) < STALLED_CALLS:
            return False
        before = time.monotonic() - STALLED_FOR
        # A copy: calls begin and end meanwhile.
        return self._ended_at.get(name, 0.0) < before and sum(one.began < before for one in list(flights)) > 1

    def names(self) -> list[str]:
        """Name the breakers that have been called through."""
        with self._lock:
            return list(self._flights)

    def _count(self, calls: Calls, flight: Flight, verdict: Verdict, took: float) -> None:
        if verdict is Verdict.OK and took <= self._slow:  # first, because so are nearly all
            calls.ok += 1
        elif verdict in FAILURES:
            calls.failed += 1
            calls.slow -= flight.is_slow
        elif flight.is_slow or verdict in HOPELESS:
            pass  # it has been counted; or it opens the breaker by itself
        elif took > self._slow:
            calls.slow += 1
        else:
            calls.ok += 1

    def _note_slow(self, now: float) -> None:
        for name, flights in self._flights.items():
            for flight in list(flights):  # a copy: calls begin and end meanwhile
                if not flight.is_slow and now - flight.began > self._slow:
                    flight.is_slow = True
                    self._counts.calls.setdefault(name, Calls()).slow += 1

    def _after(self, name: str, calls: Calls, now: float) -> Calls:
        """Add calls to those since one went well, for as long as the window is."""
        total = Calls()
        if not calls.ok:
            began, before = self._since_well.get(name, (now, Calls()))
            if now - began < self._window:
                total.add(before)
            total.add(calls)
        return total

    def _window_of(self, name: str) -> Window:
        known = self._windows.get(name)
        if known is None:
            known = self._windows[name] = Window(self._window)
        return known

    def _fields_of(self, channel: str, traffic: Traffic) -> Mapping[str, str]:
        """Name where each metric is counted; made once, for it is asked for at every call."""
        key = (channel, traffic)
        known = self._fields.get(key)
        if known is None:
            stem = Kind(channel, traffic)
            known = self._fields[key] = {metric: f"{stem}|{metric}" for metric in METRICS}
        return known
