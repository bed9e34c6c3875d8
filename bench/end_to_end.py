"""Scenario 3: how long a code takes from its request to the provider, at rest, under load, and beside a campaign.

From the moment at which the request was due to the moment at which the provider took it: its own id for a message
begins with that, in Unix milliseconds, by the same host's clock.
"""

import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from functools import partial
from typing import Final

import requests

from bench import figures, orders, plot
from bench.figures import Figure
from bench.flood import draining, uploading
from bench.gaps import Gaps
from bench.open_loop import Sent, drive
from bench.report import Report
from bench.system import beat, gateway, redis_server, sandbox, until, web, worker
from smsgate.sandbox.process import SandboxProcess

SHARES: Final = (0.1, 0.5, 0.8)
QUIET_RATE: Final = 10.0
IDLE = f"{QUIET_RATE:g}/s, nothing else to do"
UPLOAD, DRAIN = f"{QUIET_RATE:g}/s, while a campaign is uploaded", f"{QUIET_RATE:g}/s, while a campaign drains"
HEAD: Final = ("codes", "P50 ms", "P95 ms", "P99 ms", "of these to the 202, P50 ms", "P99 ms")
_AT_ONCE: Final = 100_000.0
_OVERLOAD: Final = 1.2
_PIECE: Final = 1.0
NOTES: Final = (
    """From the moment at which a request was due, at a constant rate, to the moment at which the provider took the
message. One web process, one worker a lane, beat; a provider that answers at once and reports nothing. What the load
itself takes of the CPUs is taken from the gateway. Median of the rounds, which take turns (least to most).""",
)


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds to the provider; and to the 202."""

    p50: float
    p95: float
    p99: float
    accepted_p50: float
    accepted_p99: float


@dataclass(frozen=True, slots=True)
class Road:
    """A running gateway with its door and the provider at its end."""

    base: str
    key: str
    provider: SandboxProcess
    bulk: int  # the pid of the bulk lane's worker

    def waits(self, rate: float, seconds: float) -> Waits:
        """Send codes at a constant rate, and read at the provider when each came in."""
        sent = drive(self.base, self.key, orders.otp, rate=rate, seconds=seconds)
        return _waits(sent, self._arrivals(len(sent)))

    def waits_beside_an_upload(self, rows: int) -> Waits:
        """Do so for as long as a campaign is being uploaded."""
        sent: list[Sent] = []
        with uploading(self.base, self.key, self.provider, rows) as campaign:
            while not campaign.uploaded.is_set():
                sent += drive(self.base, self.key, orders.otp, rate=QUIET_RATE, seconds=_PIECE)
            campaign.besides = len(sent)
        return _waits(sent, self._arrivals(len(sent)))

    def waits_beside_a_drain(self, rows: int, seconds: float) -> tuple[Waits, float]:
        """Do so while a campaign drains; gives its rows a second too."""
        with draining(self.base, self.key, self.provider, self.bulk, rows) as campaign:
            sent = drive(self.base, self.key, orders.otp, rate=QUIET_RATE, seconds=seconds)
            campaign.besides = len(sent)
        return _waits(sent, self._arrivals(len(sent))), campaign.rate

    def capacity(self, count: int, seconds: float) -> float:
        """Find how many codes a second get through while more than that keep coming in.

        A burst alone says too much: its end is sent while nothing is being accepted any more.
        """
        burst = drive(self.base, self.key, orders.otp, rate=_AT_ONCE, seconds=count / _AT_ONCE)
        begun = burst[0].due
        too_much = _OVERLOAD * len(burst) / (max(self._arrivals(len(burst)).values()) - begun)
        sent = drive(self.base, self.key, orders.otp, rate=too_much, seconds=seconds)
        end = max(one.due for one in sent)
        taken = [at for at in self._arrivals(len(sent)).values() if end - seconds * 0.8 <= at <= end]
        return len(taken) / (seconds * 0.8)

    def _arrivals(self, count: int) -> dict[str, float]:
        """Wait for so many codes, and forget them there; gives when each of our ids came in, in Unix seconds."""
        found: dict[str, float] = {}

        def all_are_here() -> bool:
            answer = requests.get(f"{self.provider.url}/_sandbox/messages?q=验证码&limit=1000000", timeout=60)
            found.update({one["out_id"]: _taken_at(one["biz_id"]) for one in answer.json()["messages"]})
            return len(found) >= count

        until(all_are_here, "the codes have come in", 120, 0.5)
        self.provider.clear()
        return found


def _waits(sent: Sequence[Sent], arrived: Mapping[str, float]) -> Waits:
    whole = _cuts([(arrived[one.id] - one.due) * 1000 for one in sent])
    accepted = _cuts([one.took * 1000 for one in sent])
    return Waits(whole[49], whole[94], whole[98], accepted[49], accepted[98])


def _cuts(values: Sequence[float]) -> list[float]:
    return statistics.quantiles(values, n=100, method="inclusive")


def _taken_at(provider_id: str) -> float:
    """Read the time that the sandbox's id begins with: milliseconds, then five digits that count."""
    return int(provider_id.removesuffix("^0")[:-5]) / 1000


def run(*, quick: bool) -> Report:
    rounds, seconds, rows = (1, 4.0, 60_000) if quick else (3, 8.0, 100_000)
    found: dict[str, list[Waits]] = defaultdict(list)
    drained: list[float] = []
    gaps = Gaps()
    with _road() as road:
        road.capacity(200, 1.0)  # the first codes find nothing warm
        capacity = statistics.median(road.capacity(500, 3.0) for _ in range(1 if quick else 3))

        def beside_a_drain() -> Waits:
            waits, rate = road.waits_beside_a_drain(rows, seconds)
            drained.append(rate)
            return waits

        situations: dict[str, Callable[[], Waits]] = {
            f"{share:.0%} of capacity": partial(road.waits, capacity * share, seconds) for share in SHARES
        }
        situations[IDLE] = partial(road.waits, QUIET_RATE, seconds)
        situations[DRAIN] = beside_a_drain
        situations[UPLOAD] = partial(road.waits_beside_an_upload, rows)
        for _ in range(rounds):
            _one_round(situations, found, gaps)
    return _report(capacity, found, gaps, f"{rows:,} rows; {figures.of(drained).written} a second")


def _one_round(situations: Mapping[str, Callable[[], Waits]], found: dict[str, list[Waits]], gaps: Gaps) -> None:
    for name, measure in situations.items():
        with gaps.allowed(name):
            found[name].append(measure())
            print(f"  {name}: {found[name][-1]}", file=sys.stderr)


def _report(capacity: float, found: Mapping[str, Sequence[Waits]], gaps: Gaps, campaign: str) -> Report:
    cells = {name: _figures(waits) for name, waits in found.items()}
    p95 = {name: five[1].median for name, five in cells.items()}
    table = figures.table(HEAD, [(name, *five) for name, five in cells.items()])
    return Report(
        "From request to provider",
        f"Capacity: {capacity:,.0f} codes a second. The campaign: {campaign} leave beside the codes.\n\n{table}",
        _aims(cells),
        lambda path: plot.bars(path, "A code from its request to the provider, P95", "ms", p95),
        NOTES,
        gaps.note,
    )


@contextmanager
def _road() -> Iterator[Road]:
    with ExitStack() as stack:
        url = stack.enter_context(redis_server())
        provider = stack.enter_context(sandbox())
        one = gateway(url, provider.endpoint)
        base = stack.enter_context(web(one))
        workers = {name: stack.enter_context(worker(one, name)) for name in ("otp", "bulk", "receipts")}
        stack.enter_context(beat(one))
        yield Road(base, one.key(), provider, workers["bulk"])


def _figures(waits: Sequence[Waits]) -> list[Figure]:
    return [figures.of(getattr(one, field.name) for one in waits) for field in fields(Waits)]


def _aims(cells: Mapping[str, Sequence[Figure]]) -> list[tuple[str, str]]:
    half = cells["50% of capacity"]
    return [
        ("P50 at half the capacity", figures.against(half[0].median, 10, " ms", at_most=True)),
        ("P99 at half the capacity", figures.against(half[2].median, 50, " ms", at_most=True)),
        *(
            (f"{name}, {what}, against idle", figures.ratio(beside.median, idle.median, 2, at_most=True))
            for what in (DRAIN, UPLOAD)
            for name, beside, idle in zip(("P50", "P95", "P99"), cells[what], cells[IDLE], strict=False)
        ),
    ]
