"""How well a channel did over a while, for one kind of messages: counts, and times in buckets."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from smsgate.routing.verdict import Verdict

BUCKETS: Final = 16


def _bounds(first: float, last: float) -> tuple[float, ...]:
    """Lay out the upper bounds of buckets, each a fixed factor above the one before."""
    factor = (last / first) ** (1 / (BUCKETS - 1))
    return tuple(first * factor**number for number in range(BUCKETS))


# Seconds. A call takes from 5 ms (a sandbox) to 30 s (above every time limit); a receipt up to what is kept of health.
LATENCIES: Final = _bounds(0.005, 30.0)
DELAYS: Final = _bounds(0.5, 900.0)
# A verdict → what it is counted as. An account that is blocked says nothing of how well the provider works.
METRIC: Final[dict[Verdict, str]] = {
    Verdict.OK: "ok",
    Verdict.FAILED: "failed",
    Verdict.UNCERTAIN: "uncertain",
    Verdict.THROTTLED: "throttled",
    Verdict.REFUSED: "refused",
    Verdict.ACCOUNT: "refused",
    Verdict.CREDENTIALS: "refused",
}
LATENCY: Final = tuple(f"l{number}" for number in range(BUCKETS))
DELAY: Final = tuple(f"d{number}" for number in range(BUCKETS))


def bucket(bounds: Sequence[float], seconds: float) -> int:
    """Say in which bucket a time falls; what is longer than all is in the last."""
    return min(bisect_left(bounds, seconds), BUCKETS - 1)


def quantile(bounds: Sequence[float], counts: Sequence[int], share: float) -> float | None:
    """Read the time, in seconds, that `share` of what was counted did not exceed; None of nothing.

    It is exact to the width of a bucket, a factor of 1.8 (latencies), in which it is taken to lie evenly.
    """
    wanted = share * sum(counts)
    below = 0
    for number, count in enumerate(counts):
        if count and below + count >= wanted:
            start = bounds[number - 1] if number else 0.0
            return start + (bounds[number] - start) * (wanted - below) / count
        below += count
    return None


@dataclass(slots=True)
class Health:
    """What was counted of a channel for one kind of messages; each call of the provider counts once.

    `sent` are the messages that the provider accepted, `delivered` and `undelivered` the receipts of these by now.
    """

    ok: int = 0
    failed: int = 0
    uncertain: int = 0
    throttled: int = 0
    refused: int = 0
    sent: int = 0
    delivered: int = 0
    undelivered: int = 0
    latencies: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    delays: list[int] = field(default_factory=lambda: [0] * BUCKETS)

    def count(self, metric: str, by: int) -> None:
        """Add what is stored under a metric's name; one that a later version stores is passed over."""
        if metric in _COUNTS:
            setattr(self, metric, getattr(self, metric) + by)
        elif metric in _TIMES:
            times, number = _TIMES[metric]
            getattr(self, times)[number] += by

    def add(self, other: "Health") -> None:
        for metric in _COUNTS:
            self.count(metric, getattr(other, metric))
        for metric, (times, number) in _TIMES.items():
            self.count(metric, getattr(other, times)[number])

    @property
    def calls(self) -> int:
        return self.ok + self.failed + self.uncertain + self.throttled + self.refused

    @property
    def success(self) -> float | None:
        """The share that the provider took of what it could have taken; None of nothing."""
        tried = self.ok + self.failed + self.uncertain
        return self.ok / tried if tried else None

    @property
    def arrival(self) -> float | None:
        """The share of receipts that say delivered; None where there are none."""
        told = self.delivered + self.undelivered
        return self.delivered / told if told else None

    @property
    def deliveries(self) -> float | None:
        """The share of messages of which a receipt says delivered; None where none was sent."""
        return min(1.0, self.delivered / self.sent) if self.sent else None

    def latency(self, share: float) -> float | None:
        """Seconds that `share` of the calls took at most."""
        return quantile(LATENCIES, self.latencies, share)

    def delay(self, share: float) -> float | None:
        """Seconds after sending by which `share` of the receipts were there."""
        return quantile(DELAYS, self.delays, share)


_COUNTS: Final = frozenset({"ok", "failed", "uncertain", "throttled", "refused", "sent", "delivered", "undelivered"})
_TIMES: Final = {
    **{name: ("latencies", number) for number, name in enumerate(LATENCY)},
    **{name: ("delays", number) for number, name in enumerate(DELAY)},
}
METRICS: Final = (*_COUNTS, *_TIMES)
