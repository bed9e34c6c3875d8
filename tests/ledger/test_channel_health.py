"""What is counted of channels in Redis: by slices of time, channel, carrier and class."""

import time

import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsgate.flow.standing import Standing
from smsgate.ledger import keys
from smsgate.ledger.channel_health import ChannelHealth, Counts
from smsgate.ledger.weights import Weights
from smsgate.outcome import Sent
from smsgate.routing.breaker import BreakerRule, Calls, Phase
from smsgate.routing.carriers import Carrier
from smsgate.routing.traffic import Kind, Traffic, TrafficClass
from tests.ledger.watches import CHANNEL, CODES, DOWN, QUICK, RESET, SENT, make, watch_over

OTHER = Traffic(TrafficClass.OTHER)
UNICOM = Traffic(TrafficClass.OTHER, Carrier.UNICOM)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.builds(Calls, st.integers(0, 30), st.integers(0, 30), st.integers(-3, 30)), st.sampled_from([0.2, 0.5, 1.0]))
def test_redis_and_a_process_alone_go_by_the_same_rule(store: redis.Redis, calls: Calls, share: float) -> None:
    store.flushall()
    rule = BreakerRule(share=share)
    known, events = ChannelHealth(store, rule).pulse(Counts(calls={"main|send": calls}))
    reason = rule.trips(calls, Calls() if calls.ok else calls) if calls.failed or calls.slow else None
    assert [event.reason for event in events] == ([reason] if reason else [])
    assert [state.reason for state in known.states.values()] == ([reason] if reason else [])
    assert all(event.detail == calls.told() for event in events)


def test_calls_are_counted_by_carrier_and_class(store: redis.Redis) -> None:
    watch = watch_over(store)
    make(watch, SENT, 3)
    make(watch, DOWN)
    make(watch, RESET)
    watch.call(CHANNEL, OTHER, lambda: Sent("1"), sizes={UNICOM: 60, OTHER: 40})
    watch.close()
    health = ChannelHealth(store, QUICK).health(60)
    codes = health[CHANNEL, CODES]
    assert (codes.ok, codes.failed, codes.uncertain, codes.sent) == (3, 1, 1, 3)
    assert sum(codes.latencies) == 5
    assert (health[CHANNEL, OTHER].ok, health[CHANNEL, OTHER].sent) == (1, 40)
    assert (health[CHANNEL, UNICOM].ok, health[CHANNEL, UNICOM].sent) == (0, 60)


def test_a_receipt_is_counted_where_its_message_was_sent(store: redis.Redis) -> None:
    watch = watch_over(store)
    now = int(time.time() * 1000)
    watch.receipt(CHANNEL, CODES, now - 60_000, now, delivered=True)
    watch.receipt(CHANNEL, CODES, now - 60_000, now, delivered=False)
    watch.receipt(CHANNEL, CODES, now - 901_000, now, delivered=True)
    watch.close()
    ((began, slice_),) = ChannelHealth(store, QUICK).slices(120)
    assert began == (now - 60_000) // 1000 // 5 * 5
    assert (slice_[CHANNEL, CODES].delivered, slice_[CHANNEL, CODES].undelivered) == (1, 1)
    assert slice_[CHANNEL, CODES].arrival == 0.5
    (key,) = store.scan_iter(f"{keys.HEALTH_IN}*")
    assert 830 < store.ttl(key) <= 840, "a late receipt does not keep an old slice"


def test_slices_are_not_kept_for_ever(store: redis.Redis) -> None:
    watch = watch_over(store)
    make(watch, SENT)
    watch.close()
    (calls,) = store.scan_iter(f"{keys.CALLS_IN}*")
    (health,) = store.scan_iter(f"{keys.HEALTH_IN}*")
    assert 0 < store.ttl(calls) <= 15
    assert 890 < store.ttl(health) <= 900


def test_weights_come_with_the_pulse(store: redis.Redis) -> None:
    watch = watch_over(store)
    assert watch.peek(CHANNEL, CODES).weight == 1.0
    weights = Weights(store)
    assert weights.replace("", "known", {Kind(CHANNEL, CODES): 0.25, Kind(CHANNEL, OTHER): 0.75})
    watch.close()
    time.sleep(1.1)
    standing = watch.peek(CHANNEL, CODES)
    assert standing == Standing(Phase.CLOSED, 0, "", "", is_slow=False, weight=0.25, is_paused=False)
    assert watch.peek(CHANNEL, UNICOM).weight == 0.75, "of a carrier without one, that of its class"
    assert watch.peek(CHANNEL).weight == 0.5
    assert watch.peek("backup", CODES).weight == 1.0
    weights.clear()
    time.sleep(1.1)
    assert watch.peek(CHANNEL, CODES).weight == 1.0
    watch.close()


def test_fields_are_named_for_what_they_count() -> None:
    assert str(Kind("main", OTHER)) == "main|-|other"
    assert str(Kind("main", CODES)) == "main|mobile|otp"
