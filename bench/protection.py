"""Scenario 9: what the breaker and the limits of a channel cost a lane.

The same codes are drained by the same worker, with all of it and without: a breaker over all processes, a rate that is
booked call by call, and the provider's own caps for each number.
"""

import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench import figures
from bench.deliver import single
from bench.gaps import Gaps
from bench.report import Report
from bench.system import Gateway, gateway, redis_server, sandbox
from smsgate.sandbox.process import SandboxProcess

WITHOUT: Final = "without"
KINDS: Final = {
    WITHOUT: "rate = inf\nrecipient_limits = []\n[breaker]\nenabled = false",
    "breaker": "rate = inf\nrecipient_limits = []",
    "breaker, rate": "recipient_limits = []",
    "breaker, rate, caps": "",
}
_AMOUNTS: Final = {0: 2000, 50: 1200}
# Of a lane's throughput, what all of it may cost.
MOST: Final = 0.15
_ROUNDS: Final = 3


def run(*, quick: bool) -> Report:
    rounds, share = (1, 4) if quick else (_ROUNDS, 1)
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    gaps = Gaps()
    with tempfile.TemporaryDirectory() as folder, redis_server() as url, sandbox() as provider:
        for number in range(rounds):
            # Whoever comes first finds the machine as the one before left it: they take turns at that.
            names = list(KINDS)[number % len(KINDS) :] + list(KINDS)[: number % len(KINDS)]
            for name in names:
                one = _gateway(url, provider.endpoint, Path(folder), name)
                with gaps.allowed(name):
                    for latency, rate in single(one, _steps(provider, share), 1):
                        found[name, latency].append(rate)
                        print(f"  {latency} ms {name}: {rate:,.0f}/s", file=sys.stderr)
    rows = [(name, *(figures.of(found[name, latency]) for latency in _AMOUNTS)) for name in KINDS]
    head = ("codes a second to a provider of", *(f"{latency} ms" for latency in _AMOUNTS))
    notes = (f"One worker of 8 threads, one channel; median of {rounds} (least to most).",)
    return Report("Breaker and limits", figures.table(head, rows), _aims(found), None, notes, gaps.note)


def _steps(provider: SandboxProcess, share: int) -> Iterator[tuple[int, int]]:
    for latency, count in _AMOUNTS.items():
        provider.clear_faults()
        if latency:
            provider.fault(kind="latency", ms=latency)
        yield latency, count // share
    provider.clear_faults()


def _aims(found: dict[tuple[str, int], list[float]]) -> list[tuple[str, str]]:
    """Hold each round's two against each other: what the machine did meanwhile it did to both."""
    whole = list(KINDS)[-1]
    aims = []
    for latency in _AMOUNTS:
        pairs = zip(found[whole, latency], found[WITHOUT, latency], strict=False)
        cost = 1 - statistics.median(protected / bare for protected, bare in pairs)
        met = "met" if cost < MOST else "SHORT"
        aims.append((f"what all of it costs, {latency} ms", f"{cost:.1%}, aim below {MOST:.0%}: {met}"))
    return aims


def _gateway(url: str, endpoint: str, folder: Path, name: str) -> Gateway:
    channel, _, rest = KINDS[name].partition("[breaker]")
    file = folder / f"{name.replace(', ', '-')}.toml"
    file.write_text(f"[channels.aliyun]\n{channel}\n" + (f"[breaker]{rest}" if rest else ""), encoding="utf-8")
    return gateway(url, endpoint, SMSGATE_CONFIG=str(file))
