"""Each way of counting, on a real Redis, and what the libraries whose scripts count read of it."""

import time
from collections.abc import Callable

import pytest
import redis
from limits import RateLimitItemPerHour
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

from smsgate.ledger import keys
from smsgate.ledger.counter import Counter, Room
from smsgate.ledger.counters.cells import Cells
from smsgate.ledger.counters.fixed_window import FixedWindow
from smsgate.ledger.counters.sliding_counter import SlidingCounter
from smsgate.ledger.counters.sliding_log import SlidingLog
from smsgate.ledger.quotas import Quotas
from tests.ledger.conftest import Clock

Make = Callable[[int, int, int], Counter]
KINDS: dict[str, Make] = {
    "fixed window": lambda most, seconds, now: FixedWindow("k", most, now + seconds * 1000),
    "sliding log": lambda most, seconds, _now: SlidingLog("k", most, seconds),
    "sliding counter": lambda most, seconds, _now: SlidingCounter("k", most, seconds),
    "cells": lambda most, seconds, _now: Cells("k", most, seconds),
}
every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


def _now() -> int:
    return int(time.time() * 1000)


def _room(quotas: Quotas, counter: Counter) -> Room:
    return quotas.read([counter], _now())[0]


def _take(quotas: Quotas, counter: Counter, permits: int = 1) -> bool:
    return quotas.take([(counter, permits)], _now())[0]


@every_kind
def test_as_many_are_let_through_as_are_allowed(store: redis.Redis, make: Make) -> None:
    quotas, counter = Quotas(store), make(5, 3600, _now())
    assert _room(quotas, counter).remaining == 5
    assert [_take(quotas, counter) for _ in range(7)] == [True] * 5 + [False] * 2
    assert _room(quotas, counter).remaining == 0
    # GCRA gives a fifth of the hour, the others the whole of it.
    wait = 720 if isinstance(counter, Cells) else 3600
    assert wait - 5 < _room(quotas, counter).frees_in < wait + 0.01


@every_kind
def test_permits_are_taken_all_or_none(store: redis.Redis, make: Make) -> None:
    quotas, counter = Quotas(store), make(10, 3600, _now())
    assert not _take(quotas, counter, 11)
    assert _take(quotas, counter, 6)
    assert not _take(quotas, counter, 5)
    assert _room(quotas, counter).remaining == 4
    assert _take(quotas, counter, 4)


@every_kind
def test_what_is_given_back_is_there_again(store: redis.Redis, make: Make) -> None:
    quotas, counter = Quotas(store), make(3, 3600, _now())
    _take(quotas, counter, 3)
    quotas.give_back([(counter, 2)], _now())
    assert _room(quotas, counter).remaining == 2
    quotas.give_back([(counter, 1)], _now())
    assert _room(quotas, counter).remaining == 3
    assert [_take(quotas, counter) for _ in range(4)] == [True] * 3 + [False]


@every_kind
def test_what_is_given_back_of_nothing_lets_no_more_through_than_is_allowed(store: redis.Redis, make: Make) -> None:
    quotas, counter = Quotas(store), make(3, 3600, _now())
    if not isinstance(counter, FixedWindow | SlidingCounter):  # these count below nothing, until their window ends
        quotas.give_back([(counter, 2)], _now())
    assert [_take(quotas, counter) for _ in range(4)] == [True] * 3 + [False]


@every_kind
def test_a_permit_comes_back_when_it_was_said_to(store: redis.Redis, make: Make) -> None:
    quotas, counter = Quotas(store), make(2, 1, _now())
    assert _take(quotas, counter, 2)
    wait = _room(quotas, counter).frees_in
    assert 0 < wait < 1.01
    time.sleep(max(0.0, wait - 0.15))
    assert not _take(quotas, counter)
    time.sleep(0.17)
    # A window of the calendar has another name by then.
    assert _take(quotas, FixedWindow("k2", 2, _now()) if isinstance(counter, FixedWindow) else counter)


def test_a_sliding_counter_says_when_one_more_fits_also_as_the_window_before_fades(store: redis.Redis) -> None:
    quotas, counter = Quotas(store), SlidingCounter("k", 10, 1)
    assert _take(quotas, counter, 10)
    time.sleep(1.15)  # the ten weigh less than nine now
    assert _take(quotas, counter, 1)
    while _take(quotas, counter):
        pass
    room = _room(quotas, counter)
    assert room.remaining == 0
    assert 0 < room.frees_in < 0.15
    time.sleep(room.frees_in + 0.01)
    assert _take(quotas, counter)


@every_kind
def test_no_counter_outlives_what_it_counts_by_far(store: redis.Redis, make: Make) -> None:
    quotas, counter = Quotas(store), make(5, 60, _now())
    _take(quotas, counter, 2)
    quotas.give_back([(counter, 1)], _now())
    assert all(0 < int(str(store.ttl(key))) <= 121 for key in store.keys("*"))


def test_many_counters_are_taken_of_at_once_each_for_itself(store: redis.Redis) -> None:
    quotas = Quotas(store)
    counters = [SlidingLog(f"k{place}", 1 + place % 2, 60) for place in range(60)]
    wanted = [(counter, 1) for counter in counters]
    assert quotas.take(wanted, _now()) == [True] * 60
    assert quotas.take(wanted, _now()) == [place % 2 == 1 for place in range(60)]
    assert [room.remaining for room in quotas.read(counters, _now())] == [0] * 60


@every_kind
def test_a_redis_that_lost_the_scripts_is_told_them_again(store: redis.Redis, make: Make) -> None:
    quotas, counter = Quotas(store), make(2, 60, _now())
    for _ in range(2):
        store.script_flush()
        assert _take(quotas, counter)
    store.script_flush()
    quotas.give_back([(counter, 1)], _now())
    assert _room(quotas, counter).remaining == 1


def test_the_library_reads_the_same_of_a_log_and_of_a_counter(store: redis.Redis) -> None:
    """A release of `limits` that writes otherwise is found here."""
    quotas, item = Quotas(store), RateLimitItemPerHour(5)
    storage = RedisStorage("redis://", connection_pool=store.connection_pool)  # type: ignore[arg-type]  # its types lag behind
    name = storage.prefixed_key(item.key_for("x"))
    log = SlidingLog(name, 5, 3600)
    assert _take(quotas, log, 2)
    strategy = MovingWindowRateLimiter(storage)
    assert strategy.get_window_stats(item, "x").remaining == 3 == _room(quotas, log).remaining
    assert strategy.hit(item, "x", cost=3)
    assert not _take(quotas, log)
    counter = SlidingCounter("of ours", 5, 3600)
    assert _take(quotas, counter, 2)
    store.rename("of ours", storage.prefixed_key("{" + item.key_for("y") + "}"))
    assert SlidingWindowCounterRateLimiter(storage).get_window_stats(item, "y").remaining == 3


def test_a_key_shows_nothing_of_whom_it_counts() -> None:
    named = keys.limit("log", "1hour", "codes", ["+8613800138000"])
    assert "138001" not in named
    assert named == keys.limit("log", "1hour", "codes", ["+8613800138000"])
    assert (
        len({named, *(keys.limit("log", "1hour", "codes", one) for one in (["+8613800138001"], ["a", "b"], ["ab"]))})
        == 4
    )


def test_a_window_of_the_calendar_ends_by_our_clock(store: redis.Redis, clock: Clock) -> None:
    quotas, window = Quotas(store), FixedWindow("k", 5, clock() + 10_000)
    quotas.take([(window, 5)], clock())
    clock.advance(4)
    (room,) = quotas.read([window], clock())
    assert (room.remaining, room.frees_in, room.lasts) == (0, 6.0, 6.0)
