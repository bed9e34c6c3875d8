"""The levels: what each does, and how the rule moves between them."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from smsgate.message import Lane
from smsgate.routing.degradation import STALE, Degradation, DegradationRule, Hold, Level, Measured, step

RULE = DegradationRule()
CALM = Measured()
AT = 1_767_225_600_000


def _after(state: Degradation, measured: Measured, seconds: Iterable[int], rule: DegradationRule = RULE) -> Degradation:
    for second in seconds:
        state = step(state, rule, measured, AT + second * 1000)
    return state


def test_each_level_does_what_those_below_it_do_and_more() -> None:
    held = [[level.hold_of(lane) for lane in (Lane.OTP, Lane.NOTICE, Lane.BULK)] for level in Level]
    assert held == [
        [Hold.GOES, Hold.GOES, Hold.GOES],
        [Hold.GOES, Hold.GOES, Hold.STANDS],
        [Hold.GOES, Hold.TRICKLES, Hold.STANDS],
        [Hold.GOES, Hold.STANDS, Hold.STANDS],
    ]
    assert [level.takes_batches for level in Level] == [True, True, False, False]
    assert [level.takes(Lane.NOTICE) for level in Level] == [True, True, True, False]
    assert all(level.takes(Lane.OTP) for level in Level)
    assert [level.label for level in Level] == ["normal", "bulk_paused", "notices_delayed", "only_codes"]


@pytest.mark.parametrize(
    ("measured", "level", "why"),
    [
        (Measured(codes=6), 1, "a code has waited for 6 s"),
        (Measured(codes=11), 2, "a code has waited for 11 s"),
        (Measured(codes=21), 3, "a code has waited for 21 s"),
        (Measured(notices=301), 1, "a notice has waited for 301 s"),
        (Measured(notices=100_000), 1, "a notice has waited for 100000 s"),
        (Measured(channels=3, callable=1), 1, "1 of 3 channels can be called"),
        (Measured(channels=2, callable=1), 0, ""),
        (Measured(channels=1, callable=0, no_channel=True), 2, "no channel can be called for codes"),
    ],
)
def test_what_is_measured_long_enough_leads_to_its_level(measured: Measured, level: int, why: str) -> None:
    state = _after(Degradation(), measured, range(100))
    assert (state.level, state.why) == (level, why)


def test_levels_are_raised_one_at_a_time() -> None:
    levels = [_after(Degradation(), Measured(codes=60), range(seconds + 1)).level for seconds in (4, 5, 9, 10, 14, 15)]
    assert levels == [0, 1, 1, 2, 2, 3]


def test_no_channel_for_ten_seconds_delays_notices() -> None:
    away = Measured(channels=1, callable=0, no_channel=True)
    assert [_after(Degradation(), away, range(seconds + 1)).level for seconds in (9, 10)] == [1, 2]


def test_a_short_peak_raises_nothing() -> None:
    state = Degradation()
    for second in range(100):
        state = step(state, RULE, Measured(codes=60) if second % 5 else CALM, AT + second * 1000)
        assert state.level == 0


def test_levels_are_lowered_one_at_a_time_after_a_calm() -> None:
    high = _after(Degradation(), Measured(codes=60), range(16))
    levels = [_after(high, CALM, range(16, 16 + seconds + 1)).level for seconds in (29, 30, 59, 60, 89, 90)]
    assert levels == [3, 2, 2, 1, 1, 0]


def test_what_is_just_below_the_threshold_is_no_calm() -> None:
    raised = _after(Degradation(), Measured(codes=6), range(6))
    assert _after(raised, Measured(codes=4), range(6, 600)).level == 1
    assert _after(raised, Measured(codes=2), range(6, 600)).level == 0


def test_a_hand_overrides_until_it_lets_go_and_the_rule_goes_on_meanwhile() -> None:
    fixed = Degradation().fix(Level.ONLY_CODES, "drill", AT)
    measured = _after(fixed, Measured(codes=6), range(100))
    assert (measured.level, measured.why, measured.since) == (3, "drill", AT)
    assert measured.release().level == 1
    assert _after(fixed, CALM, range(100)).release().level == 0


def test_a_rule_that_is_switched_off_leaves_everything_to_hands() -> None:
    off = DegradationRule(enabled=False)
    assert _after(Degradation(), Measured(codes=60), range(100), off).level == 0
    raised = _after(Degradation(), Measured(codes=60), range(100))
    assert _after(raised, Measured(codes=60), [101], off).level == 0
    assert _after(raised.fix(Level.BULK_PAUSED, "", AT), CALM, [101], off).level == 1


def test_a_level_that_nobody_looks_after_any_more_counts_no_more_unless_a_hand_set_it() -> None:
    raised = _after(Degradation(), Measured(codes=60), range(100))
    assert [raised.level_at(raised.at + age) for age in (0, STALE - 1, STALE)] == [3, 3, 0]
    assert raised.fix(Level.BULK_PAUSED, "", AT).level_at(raised.at + 100 * STALE) == 1


def test_a_clock_that_was_ahead_does_not_stop_it() -> None:
    ahead = step(Degradation(), RULE, Measured(codes=60), AT + 3_600_000)
    assert _after(ahead, Measured(codes=60), range(6)).level == 1


@pytest.mark.parametrize("wrong", [{"codes_only": 0}, {"calm": 2}, {"raise_after": -1}, {"code": 1}])
def test_a_rule_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        DegradationRule.model_validate(wrong)


ages = st.floats(0, 60)
measurements = st.builds(Measured, codes=ages, notices=st.floats(0, 600), callable=st.integers(0, 1))


@given(st.lists(st.tuples(st.integers(1, 5_000), measurements), max_size=300))
def test_whatever_is_measured_it_does_not_flap(measured: list[tuple[int, Measured]]) -> None:
    state, now, raised, lowered = Degradation(), AT, AT, AT
    for gap, one in measured:
        now += gap
        before, state = state, step(state, RULE, one, now)
        assert abs(state.level - before.level) <= 1
        if state.level > before.level:
            assert now - max(raised, lowered) >= RULE.raise_after * 1000
            raised = now
        elif state.level < before.level:
            assert now - max(raised, lowered) >= RULE.lower_after * 1000
            lowered = now


@given(st.lists(st.tuples(st.integers(1, 5_000), measurements), max_size=100))
def test_two_beats_at_once_come_to_the_same(measured: list[tuple[int, Measured]]) -> None:
    once = twice = Degradation()
    now = AT
    for gap, one in measured:
        now += gap
        once = step(once, RULE, one, now)
        twice = step(step(twice, RULE, one, now), RULE, one, now)
        assert once == twice
