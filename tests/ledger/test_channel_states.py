"""A breaker in Redis and one in a process alone: whatever is done to both, they stand alike and tell the same."""

import time
from collections.abc import Callable
from typing import Final

import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsgate.flow.clock import system_clock
from smsgate.ledger.channel_states import ChannelStates
from smsgate.routing.alone import Alone
from smsgate.routing.breaker import BreakerRule, Reason, Turn
from smsgate.routing.circuit import Circuits

NAME: Final = "main|send"
# So short that it is over before the next act.
RULE: Final = BreakerRule(sleep=0.001, account_sleep=0.001, probes=2)
TOKENS: Final = ("one", "two", "three")
Act = Callable[[Circuits], Turn]


def _settle(token: str, well: bool | None, reason: Reason) -> Act:
    return lambda circuits: circuits.settle(NAME, token, well=well, reason=reason, detail="probe")


def _open(reason: Reason) -> Act:
    return lambda circuits: circuits.open(NAME, reason, "opened")


ACTS: Final = st.one_of(
    st.sampled_from(TOKENS).map(lambda token: lambda circuits: circuits.take_probe(NAME, token)),
    st.sampled_from(TOKENS).map(lambda token: lambda circuits: circuits.take_probe(NAME, token)),
    st.builds(_settle, st.sampled_from(TOKENS), st.sampled_from([True, True, False, None]), st.sampled_from(Reason)),
    st.sampled_from(Reason).map(_open),
    st.just(lambda circuits: circuits.close(NAME)),
)


def _seen(turn: Turn) -> tuple[object, ...]:
    state = turn.state
    events = [(one.before, one.after, one.reason, one.was, one.is_alarm) for one in turn.events]
    return state.phase, state.reason, state.detail, state.successes, turn.granted, events


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(ACTS, min_size=3, max_size=14))
def test_both_do_the_same(store: redis.Redis, acts: list[Act]) -> None:
    store.flushall()
    shared, alone = ChannelStates(store, RULE), Alone(RULE, system_clock)
    for act in acts:
        time.sleep(0.003)
        assert _seen(act(shared)) == _seen(act(alone))
