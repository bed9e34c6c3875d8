from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsgate.message import Lane
from smsgate.routing.carriers import Carrier
from smsgate.routing.evidence import Metric, Sample
from smsgate.routing.judgement import FLOOR
from smsgate.routing.observed import Observation
from smsgate.routing.traffic import Kind, Traffic, TrafficClass
from smsgate.routing.weights import FALL, FORGOTTEN, RISE, Health, State, step
from smsgate.routing.weights_json import dump, load

A, B = (Kind(name, Traffic(TrafficClass.OTP, Carrier.MOBILE)) for name in "ab")
WELL = Observation(97, 3, 200.0, 450.0, due=90, received=84, delivered=83, receipt_delay_p50=4000.0)
SILENT = Observation()
TRAFFIC = st.builds(Traffic, st.sampled_from(TrafficClass), st.sampled_from([None, *Carrier]))
PAIRS = st.builds(Kind, st.sampled_from(["a", "b"]), TRAFFIC)


def _observation(ok: int, failed: int, p50: float, tail: float, receipts: tuple[int, int, int]) -> Observation:
    delivered, received, due = sorted(receipts)
    return Observation(ok, failed, p50, p50 * tail, due, received, delivered, p50 * 10)


COUNTS = st.integers(0, 500)
OBSERVATIONS = st.dictionaries(
    PAIRS,
    st.builds(_observation, COUNTS, COUNTS, st.floats(1, 30_000), st.floats(1, 100), st.tuples(COUNTS, COUNTS, COUNTS)),
)


def after(seconds: int, state: State, **seen: Observation) -> State:
    pairs = {Kind(name, Traffic(TrafficClass.OTP, Carrier.MOBILE)): one for name, one in seen.items()}
    for _ in range(seconds):
        state = step(state, pairs, state.at + 1)
    return state


@pytest.fixture(scope="module")
def settled() -> State:
    return after(120, State(at=1000.0), a=WELL, b=WELL)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 10), OBSERVATIONS), max_size=8))
def test_whatever_is_seen_a_factor_stays_in_its_bounds_and_moves_in_bounded_steps(
    seen: list[tuple[float, dict[Kind, Observation]]],
) -> None:
    state = State(at=1000.0)
    for passed, observations in seen:
        moved = step(state, observations, state.at + passed)
        counted = min(2.0, max(0.0, passed))
        for pair in moved.pairs:
            change = moved.factor(pair) - state.factor(pair)
            assert FLOOR - 1e-9 <= moved.factor(pair) <= 1.0
            assert -FALL * counted - 1e-9 <= change <= RISE * counted + 1e-9
        state = moved
    assert load(dump(state)) == state


def test_a_pair_that_nothing_is_known_of_is_whole() -> None:
    assert State().factor(A) == 1.0


@pytest.mark.parametrize("failed", [1, 2])
def test_a_few_failures_of_a_few_calls_move_nothing(failed: int) -> None:
    few = Observation(0, failed, 200.0, 300.0)
    assert after(10, State(at=1000.0), a=few, b=WELL).factor(A) == 1.0


def test_what_is_ill_falls_to_the_floor_and_never_below(settled: State) -> None:
    ill = after(20, settled, a=replace(WELL, ok=70, failed=30), b=WELL)
    assert (ill.factor(A), ill.factor(B)) == (pytest.approx(FLOOR, abs=0.02), 1.0)
    assert after(600, ill, a=replace(WELL, ok=0, failed=1), b=WELL).factor(A) >= FLOOR


@pytest.mark.parametrize(
    "illness",
    [
        {"ok": 70, "failed": 30},
        {"latency_p50": 4000.0, "latency_p95": 9000.0},
        {"received": 0, "delivered": 0, "receipt_delay_p50": None},
        {"delivered": 20},
        {"receipt_delay_p50": 60_000.0},
    ],
    ids=["errors", "brown-out", "no receipts", "receipts of failure", "late receipts"],
)
def test_an_illness_of_all_channels_is_no_channels_fault(settled: State, illness: dict[str, float | None]) -> None:
    bad = replace(WELL, **illness)  # type: ignore[arg-type]  # each is of its field
    one = after(20, settled, a=bad, b=WELL)
    assert one.factor(A) < 0.1
    both = after(60, settled, a=bad, b=bad)
    assert (both.factor(A), both.factor(B)) == (1.0, 1.0)


def test_who_fell_first_comes_back_when_the_other_is_as_ill(settled: State) -> None:
    bad = replace(WELL, ok=70, failed=30)
    first = after(60, settled, a=bad, b=WELL)
    second = after(120, first, a=bad, b=bad)
    assert (second.factor(A), second.factor(B)) == (1.0, 1.0)


def test_of_two_that_are_ill_the_worse_one_falls(settled: State) -> None:
    state = after(60, settled, a=replace(WELL, ok=70, failed=30), b=replace(WELL, ok=20, failed=80))
    assert state.factor(A) == 1.0
    assert state.factor(B) < 0.1


def test_what_is_usual_for_a_channel_is_held_against_nobody() -> None:
    slow = replace(WELL, latency_p50=700.0, latency_p95=1800.0, delivered=70)
    state = after(600, State(at=1000.0), a=slow, b=WELL)
    assert (state.factor(A), state.factor(B)) == (1.0, 1.0)


def test_who_was_always_bad_is_bad_all_the_same() -> None:
    assert after(60, State(at=1000.0), a=replace(WELL, ok=70, failed=30), b=WELL).factor(A) < 0.1


def test_a_channel_without_receipts_is_not_judged_by_them_until_it_has_had_some() -> None:
    none = replace(WELL, received=0, delivered=0, receipt_delay_p50=None)
    silent = after(120, State(at=1000.0), a=none, b=WELL)
    assert silent.factor(A) == 1.0
    assert after(30, after(300, silent, a=WELL, b=WELL), a=none, b=WELL).factor(A) < 0.1


def test_who_has_no_traffic_is_not_thought_ill_for_ever(settled: State) -> None:
    ill = after(20, settled, a=replace(WELL, ok=50, failed=50), b=WELL)
    assert after(120, ill, a=SILENT, b=WELL).factor(A) < 0.3
    assert after(700, ill, a=SILENT, b=WELL).factor(A) == 1.0


def test_codes_and_carriers_are_judged_apart() -> None:
    state = State(at=1000.0)
    everything = [Traffic(klass, carrier) for klass in TrafficClass for carrier in Carrier]
    everybody = [Kind(name, traffic) for name in "ab" for traffic in everything]
    for failed in [3] * 60 + [50] * 30:
        seen = {**dict.fromkeys(everybody, WELL), A: replace(WELL, ok=100 - failed, failed=failed)}
        state = step(state, seen, state.at + 1)
        assert {pair for pair in state.pairs if state.factor(pair) < 1.0} <= {A}
    assert state.factor(A) < 0.1


def test_a_carrier_that_a_channel_hardly_meets_is_judged_by_the_others(settled: State) -> None:
    bad, rare = replace(WELL, ok=70, failed=30), Kind("a", Traffic(TrafficClass.OTP, Carrier.BROADNET))
    state = settled
    for second in range(20):
        state = step(state, {A: bad, B: WELL, rare: Observation(1, 0, 200.0, 200.0)}, settled.at + 1 + second)
    assert state.factor(rare) < 0.1


def test_lanes_are_of_two_classes() -> None:
    classes = [Traffic.of(lane).klass for lane in Lane]
    assert classes == [TrafficClass.OTP, TrafficClass.OTHER, TrafficClass.OTHER]


def test_a_late_step_does_not_leap_and_a_clock_that_goes_back_moves_nothing(settled: State) -> None:
    bad = {A: replace(WELL, ok=0, failed=100), B: WELL}
    assert step(settled, bad, settled.at + 600).factor(A) == pytest.approx(1 - 2 * FALL)
    assert step(settled, bad, settled.at - 600).factor(A) == 1.0


def test_a_pair_that_was_not_seen_for_a_day_is_forgotten(settled: State) -> None:
    later = step(settled, {B: WELL}, settled.at + FORGOTTEN + 1)
    assert set(later.pairs) == {B}


@pytest.mark.parametrize(
    "written",
    ["", "null", "[]", "{}", '{"version":0,"at":1,"pairs":{}}', '{"version":1,"at":1,"pairs":{"a|b":{}}}', b"\xff"],
)
def test_a_state_that_cannot_be_read_is_as_none(written: str | bytes) -> None:
    assert load(written) == State()


def test_a_kind_is_read_back_as_it_was_written() -> None:
    for kind, written in ((A, "a|mobile|otp"), (Kind("main-1", Traffic(TrafficClass.OTHER)), "main-1|-|other")):
        assert (str(kind), Kind.read(written)) == (written, kind)


@given(st.integers(1, 2000), st.floats(0, 1), st.floats(0.1, 4))
def test_a_rate_lies_between_its_bounds_and_they_close_in_with_more(n: int, share: float, z: float) -> None:
    rate = round(share * n) / n
    low, high = Sample(n, rate).bounds(Metric.ERRORS, z)
    assert 0 <= low <= rate <= high <= 1
    closer_low, closer_high = Sample(n * 10, rate).bounds(Metric.ERRORS, z)
    assert closer_low >= low - 1e-3
    assert closer_high <= high + 1e-3


def test_health_is_whole_at_first() -> None:
    assert Health().factor == 1.0
