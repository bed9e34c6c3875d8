"""Weights follow what all processes have counted in Redis; seconds are simulated, the counts are real."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
import redis
from structlog.testing import capture_logs

from smsgate.flow.weigh import Weigh, observations
from smsgate.ledger import keys
from smsgate.ledger.channel_health import ChannelHealth, Counts
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.weights import Weights
from smsgate.routing.breaker import BreakerRule
from smsgate.routing.carriers import Carrier
from smsgate.routing.health import DELAY, DELAYS, LATENCIES, LATENCY, bucket
from smsgate.routing.observed import HealthRule
from smsgate.routing.traffic import Kind, Traffic, TrafficClass
from smsgate.routing.weights_json import load

MAIN, BACKUP = (Kind(name, Traffic(TrafficClass.OTP, Carrier.MOBILE)) for name in ("main", "backup"))
TABLETS = Kind("main", Traffic(TrafficClass.OTHER))
# A second of a channel that is well: 20 calls of 200 ms, whose receipts came after 4 s.
WELL: Mapping[str, int] = {
    "ok": 19, "failed": 1, LATENCY[bucket(LATENCIES, 0.2)]: 20,
    "sent": 19, "delivered": 18, "undelivered": 1, DELAY[bucket(DELAYS, 4.0)]: 19,
}  # fmt: skip
ILL: Mapping[str, int] = {**WELL, "ok": 12, "uncertain": 8, "failed": 0, "sent": 12, "delivered": 12}
LYING: Mapping[str, int] = {name: by for name, by in WELL.items() if name not in {"delivered", "undelivered"}}


@dataclass
class Course:
    """The course of time in one Redis, from five minutes ago on; what came is counted in the slices of its time."""

    store: redis.Redis
    rule: HealthRule = field(default_factory=HealthRule)

    def __post_init__(self) -> None:
        self.health = ChannelHealth(self.store, BreakerRule())
        self.now = (time.time() // keys.HEALTH_SLICE - 60) * keys.HEALTH_SLICE
        self.weigh = Weigh(self.health, Weights(self.store), lambda: self.rule, lambda: self.now)

    def go(self, seconds: int, **channels: Mapping[str, int]) -> None:
        """Let each second bring these counts to channels by their names, and a step after them."""
        kinds = {"main": MAIN, "backup": BACKUP}
        for _ in range(seconds):
            fields = {f"{kinds[name]}|{metric}": by for name, seen in channels.items() for metric, by in seen.items()}
            self.health.pulse(Counts(then={int(self.now) // keys.HEALTH_SLICE: fields}))
            self.now += 1
            assert self.weigh()

    def weight(self, kind: Kind = MAIN) -> float:
        return self.health.pulse(Counts())[0].weights[kind]


@pytest.fixture
def course(store: redis.Redis) -> Course:
    return Course(store)


def test_a_channel_that_fails_loses_its_weight_and_has_it_back_when_it_is_well(course: Course) -> None:
    course.go(40, main=WELL, backup=WELL)
    assert (course.weight(), course.weight(BACKUP)) == (1.0, 1.0)
    with capture_logs() as logs:
        course.go(25, main=ILL, backup=WELL)
    assert course.weight() < 0.1 < course.weight(BACKUP) == 1.0
    assert [(one["event"], one["channel"], one["carrier"], one["lanes"]) for one in logs] == [
        ("channel_ill", "main", "mobile", "otp")
    ]
    with capture_logs() as logs:
        course.go(120, main=WELL, backup=WELL)
    assert course.weight() > 0.9
    assert [one["event"] for one in logs] == ["channel_well_again"]


def test_a_channel_whose_receipts_stop_loses_its_weight_unless_receipts_do_not_count(course: Course) -> None:
    course.go(90, main=WELL, backup=WELL)
    course.go(60, main=LYING, backup=WELL)
    assert course.weight() < 0.1 < course.weight(BACKUP) == 1.0
    course.rule = HealthRule(receipts=False)
    course.go(120, main=LYING, backup=WELL)
    assert course.weight() > 0.9


def test_a_carrier_that_was_never_seen_has_the_weight_of_its_channel(course: Course) -> None:
    course.go(40, main=WELL, backup=WELL)
    course.go(25, main=ILL, backup=WELL)
    assert course.weight(MAIN.over_all_carriers) < 0.1


def test_without_health_every_channel_has_its_whole_weight(course: Course, store: redis.Redis) -> None:
    course.go(5, main=ILL, backup=WELL)
    course.rule = HealthRule(enabled=False)
    assert not course.weigh()
    assert store.exists(keys.CHANNEL_WEIGHTS, keys.CHANNEL_STATE) == 0


def test_two_beats_and_late_runs_move_no_more_than_one(course: Course) -> None:
    course.go(40, main=WELL, backup=WELL)
    course.go(8, main=ILL, backup=WELL)
    before = course.weight()
    course.now += 0.3
    assert not course.weigh(), "another has just done so"
    assert course.weight() == before
    course.now += 30
    assert course.weigh()
    assert before - course.weight() <= 2 * 0.3 + 1e-3, "what comes late does not leap"


def test_of_runs_at_the_same_time_one_counts(course: Course, redis_url: str) -> None:
    course.go(10, main=WELL, backup=WELL)
    course.now += 1
    together = threading.Barrier(8)
    moved = list[bool]()

    def now() -> float:
        """Tell the time when all have read the state."""
        together.wait(timeout=10)
        return course.now

    def run() -> None:
        client = connect_briefly(redis_url)
        moved.append(Weigh(ChannelHealth(client, BreakerRule()), Weights(client), now=now)())

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(moved) == [False] * 7 + [True]
    assert load(Weights(course.store).read()[0]).at == course.now


def test_what_is_seen_are_the_calls_of_up_to_ten_seconds_and_the_receipts_that_are_due(store: redis.Redis) -> None:
    health, now = ChannelHealth(store, BreakerRule()), time.time() // 5 * 5 + 2
    for ago in range(0, 90, 5):
        fields = {f"{TABLETS}|{metric}": 1 for metric in ("ok", "uncertain", "sent", "delivered")}
        health.pulse(Counts(then={(int(now) - ago) // 5: fields}))
    seen = observations(health.slices(60, now), now, receipts=True)[TABLETS]
    assert (seen.ok, seen.failed, seen.due, seen.received, seen.delivered) == (2, 2, 5, 5, 5)
    without = observations(health.slices(60, now), now, receipts=False)[TABLETS]
    assert (without.ok, without.due, without.received) == (2, 0, 0)


def test_the_beat_of_redis_is_its_own_time(store: redis.Redis) -> None:
    assert abs(Weights(store).read()[1] - time.time()) < 5
    assert Weigh(ChannelHealth(store, BreakerRule()), Weights(store))()
    assert 86_390 < store.ttl(keys.CHANNEL_STATE) <= 86_400
