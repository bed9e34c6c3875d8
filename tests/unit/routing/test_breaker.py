"""The rule that opens a breaker, the window it looks at, and a process that decides alone."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from smsgate.routing.alone import Alone
from smsgate.routing.breaker import BreakerRule, Calls, Event, Phase, Reason, Window

RULE = BreakerRule()
NAME = "main|send"


class Clock:
    """Unix milliseconds that stand until they are told to go on."""

    def __init__(self) -> None:
        self.at = 1_767_225_600_000

    def __call__(self) -> int:
        return self.at


@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        (Calls(ok=5, failed=5), Reason.FAILING),
        (Calls(failed=10), Reason.FAILING),
        (Calls(failed=9), None),
        (Calls(ok=6, failed=5), None),
        (Calls(ok=5, slow=5), Reason.SLOW_CALLS),
        (Calls(ok=5, failed=3, slow=3), Reason.SLOW_CALLS),
        (Calls(failed=5, slow=5), Reason.FAILING),
        (Calls(ok=10), None),
    ],
)
def test_half_of_ten_calls_open_a_breaker(calls: Calls, reason: Reason | None) -> None:
    assert RULE.trips(calls) is reason


def test_what_the_rule_does_not_know_is_refused() -> None:
    with pytest.raises(ValidationError):
        BreakerRule.model_validate({"treshold": 5})


@given(
    st.lists(st.tuples(st.floats(0, 5), st.sampled_from(["ok", "failed", "slow"])), max_size=60),
    st.integers(1, 12),
    st.floats(0, 20),
)
def test_a_window_holds_the_calls_of_its_last_seconds_and_no_others(
    calls: list[tuple[float, str]], seconds: int, later: float
) -> None:
    window = Window(seconds)
    times = [1000.0, *accumulate((gap for gap, _ in calls), initial=1000.0)][1:]
    for at, (_, kind) in zip(times, calls, strict=False):
        slice_ = window.at(at)
        setattr(slice_, kind, getattr(slice_, kind) + 1)
    now = times[max(len(calls) - 1, 0)] + later
    held = [kind for at, (_, kind) in zip(times, calls, strict=False) if int(at) > int(now) - seconds]
    assert window.sum(now) == Calls(*(held.count(kind) for kind in ("ok", "failed", "slow")))


def test_a_call_that_was_slow_and_failed_counts_once() -> None:
    calls = Calls(ok=3, failed=1, slow=0)
    assert calls.total == 4
    assert Calls(failed=1, slow=-1).total == 1, "the slice in which it was slow has left the window"


def test_a_process_alone_opens_probes_and_closes() -> None:
    clock = Clock()
    alone = Alone(RULE, clock)
    opened = alone.open(NAME, Reason.FAILING, "10 of 10")
    assert opened.events == (
        Event(clock.at, "main", "send", Phase.CLOSED, Phase.OPEN, Reason.FAILING, "10 of 10", None),
    )
    assert alone.open(NAME, Reason.FAILING, "again").events == ()
    assert not alone.take_probe(NAME, "early").granted
    clock.at += 5_000
    assert alone.take_probe(NAME, "one").granted
    assert not alone.take_probe(NAME, "two").granted
    assert alone.settle(NAME, "one", well=True, reason=Reason.FAILING, detail="").state.successes == 1
    assert alone.take_probe(NAME, "three").granted
    closed = alone.settle(NAME, "three", well=True, reason=Reason.FAILING, detail="")
    assert closed.state.phase is Phase.CLOSED
    assert [event.after for event in closed.events] == [Phase.CLOSED]


def test_a_probe_that_fails_or_proves_nothing_leaves_a_breaker_alone_or_opens_it_again() -> None:
    clock = Clock()
    alone = Alone(RULE, clock)
    alone.open(NAME, Reason.ACCOUNT, "no money")
    clock.at += 29_999
    assert not alone.take_probe(NAME, "early").granted
    clock.at += 1
    alone.take_probe(NAME, "one")
    assert alone.settle(NAME, "one", well=None, reason=Reason.FAILING, detail="").state.phase is Phase.HALF_OPEN
    alone.take_probe(NAME, "two")
    turn = alone.settle(NAME, "two", well=False, reason=Reason.ACCOUNT, detail="no money")
    assert (turn.state.phase, turn.state.until) == (Phase.OPEN, clock.at + 30_000)
    assert not turn.events[0].is_alarm, "the operator has been told"


def test_the_lease_of_a_probe_ends_by_itself() -> None:
    clock = Clock()
    alone = Alone(RULE, clock)
    alone.open(NAME, Reason.FAILING, "")
    clock.at += 5_000
    ends = alone.take_probe(NAME, "one").until
    clock.at = ends
    assert alone.take_probe(NAME, "two").granted
    assert alone.settle(NAME, "one", well=True, reason=Reason.FAILING, detail="").state.successes == 0


def test_a_breaker_opened_by_hand_is_not_probed() -> None:
    clock = Clock()
    alone = Alone(RULE, clock)
    alone.open(NAME, Reason.BY_HAND, "maintenance")
    clock.at += 3_600_000
    assert not alone.take_probe(NAME, "one").granted
    assert alone.close(NAME).state.phase is Phase.CLOSED
