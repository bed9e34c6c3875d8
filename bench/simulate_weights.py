"""How weights follow health, tried on channels that do not exist: no process, no clock, the same figures everywhere.

`python -m bench.simulate_weights` prints a line for each scenario and draws docs/img/weights.png. Two channels of the
same declared weight share 50 messages a second to three carriers; `a` is the one that things happen to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import figures, plot
from bench.weights_model import WELL, Conduct, Course, Gateway
from smsgate.routing.carriers import Carrier
from smsgate.routing.observed import RECEIPT_DUE

PICTURE: Final = Path(__file__).parents[1] / "docs" / "img" / "weights.png"
BEGIN, END, LENGTH = 120, 420, 660
# What a channel is said to have lost its traffic at, and to have it back: of a whole factor.
LOST: Final = 0.10
BACK: Final = 0.90
# Seconds after which it should have.
SETTLED: Final = 30


def always(conduct: Conduct) -> Course:
    return lambda _now, _carrier: conduct


def spell(conduct: Conduct, begin: float = BEGIN, end: float = END) -> Course:
    """Behave well but from `begin` to `end`."""
    return lambda now, _carrier: conduct if begin <= now < end else WELL


def flapping(conduct: Conduct, period: int) -> Course:
    """Be ill for `period` seconds, and well for as many, in turns."""

    def course(now: float, _carrier: Carrier) -> Conduct:
        return conduct if BEGIN <= now < END and (now - BEGIN) % (2 * period) < period else WELL

    return course


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens, from when to when; `evidence_after` seconds from its begin it can show at the earliest."""

    title: str
    courses: Mapping[str, Course]
    seconds: int = LENGTH
    evidence_after: int = 0
    ill: tuple[float, float] | None = (BEGIN, END)


OTHER: Final = always(Conduct(errors=0.04))
DEAD: Final = Conduct(errors=1.0)
SCENARIOS: Final = {
    "noisy": Scenario("3 % and 4 % errors, for an hour", {"a": always(WELL), "b": OTHER}, 3600, ill=None),
    "errors": Scenario("30 % errors", {"a": spell(Conduct(errors=0.3)), "b": OTHER}),
    "brown-out": Scenario("latency × 20", {"a": spell(Conduct(latency=4000)), "b": OTHER}),
    "lying": Scenario(
        "accepts and never delivers", {"a": spell(Conduct(delivered=0.0)), "b": OTHER}, evidence_after=RECEIPT_DUE
    ),
    "flapping": Scenario("dead and well in turns of 3 s", {"a": flapping(DEAD, 3), "b": OTHER}),
    "both": Scenario("both 30 % errors", {name: spell(Conduct(errors=0.3)) for name in "ab"}),
}


@dataclass(frozen=True, slots=True)
class Trace:
    """Second by second: each channel's factor over all carriers, and its share of the messages."""

    factors: Mapping[str, Sequence[float]]
    shares: Mapping[str, Sequence[float]]

    def lost_after(self, begin: int) -> int | None:
        """Count the seconds from `begin` until `a` has lost its traffic."""
        return next((at + 1 for at, factor in enumerate(self.factors["a"][begin:]) if factor <= LOST), None)

    def back_after(self, end: int) -> int | None:
        """Count the seconds from `end` until `a` has its traffic back for good."""
        late = [at for at, factor in enumerate(self.factors["a"]) if factor < BACK]
        return None if not late or late[-1] + 1 == len(self.factors["a"]) else max(0, late[-1] + 1 - end)

    def share(self, begin: int, end: int) -> float:
        """Give the share of messages that left by `a` between two seconds."""
        part = self.shares["a"][begin:end]
        return sum(part) / len(part)


def turns(factors: Sequence[float], least: float = 0.10) -> int:
    """Count how often a factor turns, from a rise to a fall or back, by at least so much of a whole one."""
    count, rising, edge = 0, None, factors[0]
    for factor in factors:
        if rising is None and abs(factor - edge) >= least:
            rising, edge = factor > edge, factor
        elif rising is not None and (factor > edge) == rising:
            edge = factor
        elif rising is not None and abs(factor - edge) >= least:
            count, rising, edge = count + 1, not rising, factor
    return count


def run(scenario: Scenario, rate: float = 50.0, seed: int = 1) -> Trace:
    """Let a scenario happen; the same seed gives the same trace."""
    gateway = Gateway(scenario.courses, rate, seed)
    factors: dict[str, list[float]] = {name: [] for name in scenario.courses}
    shares: dict[str, list[float]] = {name: [] for name in scenario.courses}
    for _ in range(scenario.seconds):
        gateway.run(1)
        sent = sum(gateway.sent.values()) or 1
        for name in scenario.courses:
            factors[name].append(gateway.factor(name))
            shares[name].append(gateway.sent[name] / sent)
    return Trace(factors, shares)


def row(scenario: Scenario, trace: Trace) -> Sequence[object]:
    """Sum a trace up: what README and docs say of it."""
    begin = BEGIN + scenario.evidence_after
    lost = trace.lost_after(begin)
    ill = trace.share(begin + SETTLED, END) if lost else trace.share(BEGIN, END)
    back = trace.back_after(END)
    lowest = min(trace.factors["a"])
    return (
        scenario.title,
        f"{lost} s" if lost else "–",
        f"{ill:.1%}",
        f"{back} s" if back is not None else "–",
        f"{lowest:.2f}",
        turns(trace.factors["a"]),
    )


HEAD: Final = (
    "what happens to one of two",
    "lost its traffic after",
    "had then",
    "back after",
    "lowest factor",
    "turns",
)


def main() -> None:
    traces = {name: run(scenario) for name, scenario in SCENARIOS.items()}
    print(figures.table(HEAD, [row(SCENARIOS[name], trace) for name, trace in traces.items()]))
    PICTURE.parent.mkdir(exist_ok=True)
    plot.panels(
        PICTURE,
        "How the weights of two channels follow their health",
        ("seconds", "factor"),
        [plot.Panel(SCENARIOS[name].title, trace.factors, SCENARIOS[name].ill) for name, trace in traces.items()],
    )


if __name__ == "__main__":
    main()
