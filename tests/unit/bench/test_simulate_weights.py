"""The figures that docs/routing.md gives of the weights, held for another seed than the one that it shows."""

from functools import cache

import pytest

from bench.simulate_weights import BEGIN, END, SCENARIOS, SETTLED, Scenario, Trace, flapping, run, turns
from bench.weights_model import Conduct
from smsgate.routing.carriers import Carrier

pytestmark = pytest.mark.crowd

SEEDS = [2]


@cache
def trace(name: str, seed: int) -> Trace:
    return run(SCENARIOS[name], seed=seed)


@pytest.mark.parametrize(("seed", "rate"), [(2, 10.0), (3, 1.0)])
def test_a_noisy_pair_that_is_healthy_keeps_its_weights_for_an_hour(seed: int, rate: float) -> None:
    noisy = run(SCENARIOS["noisy"], rate=rate, seed=seed)
    for factors in noisy.factors.values():
        assert min(factors) >= 0.9
        assert turns(factors, least=0.01) == 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["errors", "brown-out", "lying", "flapping"])
def test_a_channel_that_is_ill_loses_its_traffic_within_half_a_minute_and_gets_it_back(name: str, seed: int) -> None:
    seen, begin = trace(name, seed), BEGIN + SCENARIOS[name].evidence_after
    assert (seen.lost_after(begin) or SETTLED + 1) <= SETTLED
    assert seen.share(begin + SETTLED, END) < 0.06
    assert (seen.back_after(END) or 0) <= 150
    assert min(seen.factors["b"]) >= 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_a_channel_that_flaps_does_not_swing_the_weights(seed: int) -> None:
    assert turns(trace("flapping", seed).factors["a"]) == 1  # down, and up when it is over


@pytest.mark.parametrize("period", [1, 10, 30])
def test_nor_does_one_that_flaps_faster_or_slower(period: int) -> None:
    course = flapping(Conduct(errors=1.0), period)
    seen = run(Scenario("flaps", {"a": course, "b": SCENARIOS["noisy"].courses["b"]}))
    assert turns(seen.factors["a"][:END]) <= (END - BEGIN) / (2 * period)
    assert seen.share(BEGIN + SETTLED, END) < 0.12


@pytest.mark.parametrize("seed", SEEDS)
def test_two_that_are_equally_ill_share_as_declared(seed: int) -> None:
    seen = trace("both", seed)
    assert seen.share(BEGIN, END) == pytest.approx(0.5, abs=0.06)


def test_a_carrier_that_is_slow_everywhere_is_no_channels_fault() -> None:
    def course(now: float, carrier: Carrier) -> Conduct:
        return Conduct(latency=3000, receipt_delay=40) if carrier is Carrier.UNICOM and now > BEGIN else Conduct()

    seen = run(Scenario("slow carrier", {"a": course, "b": course}, seconds=400))
    assert min(*seen.factors["a"], *seen.factors["b"]) == 1.0


def test_turns_are_counted_from_the_size_that_matters() -> None:
    assert turns([1.0, 0.98, 1.0, 0.97, 1.0]) == 0
    assert turns([1.0, 0.5, 0.02, 0.5, 1.0]) == 1
    assert turns([1.0, 0.5, 0.55, 0.4, 0.9, 0.2]) == 2
