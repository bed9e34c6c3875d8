from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgate.routing.pick import Standing, order, standing
from smsgate.routing.profile import Profile
from smsgate.routing.table import Strategy

STANDINGS = st.lists(
    st.builds(
        Standing,
        st.sampled_from("abcdef"),
        weight=st.floats(0.1, 100),
        cost=st.floats(0, 1),
        health=st.floats(0, 1),
        available=st.booleans(),
    ),
    min_size=1,
    unique_by=lambda one: one.name,
)


def firsts(strategy: Strategy, *standings: Standing, lately: tuple[str, ...] = (), of: int = 2000) -> Counter[str]:
    rng = Random(1)
    return Counter(order(strategy, standings, rng, lately)[0] for _ in range(of))


@given(
    strategy=st.sampled_from(Strategy),
    standings=STANDINGS,
    seed=st.integers(),
    lately=st.lists(st.sampled_from("abcdef"), max_size=4),
)
def test_an_order_has_every_candidate_once_and_those_that_cannot_be_called_last(
    strategy: Strategy, standings: list[Standing], seed: int, lately: list[str]
) -> None:
    ordered = order(strategy, standings, Random(seed), lately)
    assert sorted(ordered) == sorted(one.name for one in standings)
    available = {one.name: one.available for one in standings}
    assert [available[name] for name in ordered] == sorted(available.values(), reverse=True)


def test_weights_are_the_shares_of_messages_and_health_lessens_them() -> None:
    shares = firsts(Strategy.WEIGHTED, Standing("a", weight=3), Standing("b", weight=1), of=10_000)
    assert shares["a"] == pytest.approx(7500, abs=150)
    shares = firsts(Strategy.WEIGHTED, Standing("a", weight=3, health=0.02), Standing("b", weight=1), of=10_000)
    assert shares["a"] == pytest.approx(10_000 * 0.06 / 1.06, abs=100)


def test_priority_is_as_declared_until_the_first_is_ill() -> None:
    assert firsts(Strategy.PRIORITY, Standing("a"), Standing("b", weight=9)) == {"a": 2000}
    shares = firsts(Strategy.PRIORITY, Standing("a", health=0.1), Standing("b"))
    assert 20 <= shares["a"] <= 60  # one in fifty looks whether it is well again


def test_the_cheapest_that_is_well_comes_first_and_equals_share() -> None:
    shares = firsts(Strategy.LEAST_COST, Standing("a", cost=2), Standing("b", cost=1, weight=3), Standing("c", cost=1))
    assert shares["a"] == 0
    assert shares["b"] == pytest.approx(1500, abs=80)
    shares = firsts(Strategy.LEAST_COST, Standing("a", cost=2), Standing("b", cost=1, health=0.3))
    assert shares["a"] > 1900


def test_the_healthiest_comes_first() -> None:
    shares = firsts(Strategy.BEST_HEALTH, Standing("a", health=0.7, weight=9), Standing("b", health=0.9))
    assert shares == {"b": 2000}
    shares = firsts(Strategy.BEST_HEALTH, Standing("a"), Standing("b"))
    assert shares["a"] == pytest.approx(1000, abs=80)


@pytest.mark.parametrize("strategy", Strategy)
def test_who_asks_again_for_a_code_gets_another_channel(strategy: Strategy) -> None:
    three = [Standing("a"), Standing("b"), Standing("c")]
    rng = Random(1)
    for _ in range(50):
        assert order(strategy, three, rng, ["b"])[2] == "b"
        assert order(strategy, three, rng, ["b", "a", "b"]) == ["c", "a", "b"]
        assert order(strategy, three, rng, ["a", "b", "c"]) == ["c", "b", "a"]


def test_a_channel_that_cannot_be_called_comes_after_one_that_was_used() -> None:
    assert order(Strategy.WEIGHTED, [Standing("a"), Standing("b", available=False)], Random(1), ["a"]) == ["a", "b"]


def test_a_standing_is_made_of_what_is_declared_and_what_is_known() -> None:
    profile = Profile(name="main", weight=10, cost=0.045)
    assert standing(profile, health=0.5, available=False) == Standing("main", 10, 0.045, 0.5, available=False)
