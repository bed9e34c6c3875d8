"""Slots and caps, in a real Redis whose own clock they are booked by."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from importlib.resources import files
from itertools import pairwise
from random import Random
from threading import Barrier
from typing import Any

import pytest
import redis

from smsgate.ledger import keys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.pace import cut_of
from smsgate.ledger.pacing import Booking, Pacer
from smsgate.routing.pacing import Cut, ahead, cut_down, effective, hold

OTP = ((60.0, 1), (3600.0, 5))
DAILY = ((86_400.0, 3),)


@pytest.fixture
def pacer(store: redis.Redis) -> Pacer:
    return Pacer(store)


def _length(store: redis.Redis, name: str) -> int:
    return int(store.strlen(keys.cap("main", name))) // 5


def test_without_a_rate_and_caps_nothing_is_booked_and_nothing_asked(store: redis.Redis, pacer: Pacer) -> None:
    before = store.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"]
    assert pacer.book("main", None) == Booking()
    assert pacer.book("main", None, [()]) == Booking()
    assert store.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"] == before
    assert store.keys("*") == []


def test_slots_follow_one_another_at_the_rate(pacer: Pacer) -> None:
    booked = [pacer.book("main", 50.0) for _ in range(50)]
    gaps = [later.at - earlier.at for earlier, later in pairwise(booked)]
    assert booked[0].wait == 0
    assert set(gaps) <= {19, 20, 21}


def test_channels_have_slots_of_their_own(pacer: Pacer) -> None:
    assert [pacer.book(name, 1.0).wait for name in ("main", "backup")] == [0, 0]


def test_what_lies_too_far_ahead_is_not_booked_and_comes_again_one_after_another(pacer: Pacer) -> None:
    booked = [pacer.book("main", 20.0, ahead=200) for _ in range(5)]
    turned_away = [pacer.book("main", 20.0, ahead=200) for _ in range(4)]
    assert [one.later for one in booked] == [None] * 5
    waits = [one.later for one in turned_away if one.later is not None]
    assert len(waits) == 4
    assert all(30 <= later - earlier <= 60 for earlier, later in pairwise(waits))
    time.sleep(waits[0] / 1000)
    assert pacer.book("main", 20.0, ahead=200).later is None


def test_nothing_counts_for_a_recipient_when_no_slot_was_booked(store: redis.Redis, pacer: Pacer) -> None:
    pacer.book("main", 0.1)
    assert pacer.book("main", 0.1, [[("a", OTP)]]).later is not None
    assert _length(store, "a") == 0


def test_a_rate_that_was_lowered_counts_from_the_next_slot(pacer: Pacer) -> None:
    pacer.book("main", 1000.0)
    first, second = pacer.book("main", 10.0), pacer.book("main", 10.0)
    assert 98 <= second.at - first.at <= 101


def test_a_recipient_is_capped_by_the_window_that_lasts_longest(pacer: Pacer) -> None:
    windows = ((0.2, 1), (60.0, 2))
    assert pacer.book("main", None, [[("a", windows)]]).capped == {}
    short = pacer.book("main", None, [[("a", windows)]]).capped[0]
    time.sleep(short / 1000 + 0.01)
    assert pacer.book("main", None, [[("a", windows)]]).capped == {}
    assert short <= 201
    assert 59_000 < pacer.book("main", None, [[("a", windows)]]).capped[0] <= 60_001


def test_one_who_is_capped_is_noted_nowhere_and_the_others_go(store: redis.Redis, pacer: Pacer) -> None:
    by_sign, by_number = ("sign", ((60.0, 1),)), ("number", DAILY)
    pacer.book("main", None, [[by_sign, by_number]])
    booking = pacer.book("main", 10.0, [[("x", DAILY)], [by_number, by_sign], [("y", DAILY)], ()])
    assert list(booking.capped) == [1]
    assert [_length(store, name) for name in ("x", "sign", "number", "y")] == [1, 1, 1, 1]


def test_a_call_with_nobody_left_takes_no_slot(pacer: Pacer) -> None:
    pacer.book("main", None, [[("a", OTP)]])
    assert (pacer.book("main", 1.0, [[("a", OTP)]]).at, pacer.book("main", 1.0).wait) == (0, 0)


def test_a_recipient_counts_from_the_time_of_its_slot(pacer: Pacer) -> None:
    first = pacer.book("main", 1.0, [[("a", DAILY)]])
    second = pacer.book("main", 1.0, [[("b", ((1.0, 1),))]])
    assert second.wait > 900
    again = pacer.book("main", None, [[("b", ((1.0, 1),))]])
    assert 1_900 < again.capped[0] <= 2_001
    assert second.at - first.at == pytest.approx(1_000, abs=2)


def test_a_log_holds_no_more_than_is_asked_of_it(store: redis.Redis, pacer: Pacer) -> None:
    for _ in range(40):
        pacer.book("main", None, [[("a", ((0.001, 1), (0.002, 3)))]])
        time.sleep(0.002)
    assert _length(store, "a") <= 3
    pacer.book("main", None, [[("b", DAILY)]])
    assert 86_000 < int(store.ttl(keys.cap("main", "b"))) <= 86_400


def test_what_was_surely_not_sent_is_given_back(store: redis.Redis, pacer: Pacer) -> None:
    booking = pacer.book("main", 10.0, [[("a", OTP), ("b", DAILY)]])
    pacer.book("main", None, [[("b", DAILY)]])
    pacer.give_back("main", booking, [[("a", OTP), ("b", DAILY)]])
    assert [_length(store, "a"), _length(store, "b")] == [0, 1]
    assert pacer.book("main", None, [[("a", OTP)]]).capped == {}
    pacer.give_back("main", Booking(), [[("b", DAILY)]])
    assert _length(store, "b") == 1


def test_a_hundred_recipients_are_asked_for_in_one_call(store: redis.Redis, pacer: Pacer) -> None:
    everybody = [[(f"r{one}", DAILY)] for one in range(100)]
    pacer.book("main", None, everybody[::2])
    pacer.book("main", None, everybody[::2])
    pacer.book("main", None, everybody[::2])
    before = store.info("commandstats")["cmdstat_evalsha"]["calls"]
    booking = pacer.book("main", 100.0, everybody)
    assert store.info("commandstats")["cmdstat_evalsha"]["calls"] == before + 1
    assert list(booking.capped) == list(range(0, 100, 2))


def test_a_hundred_throttled_answers_are_one_event(store: redis.Redis, redis_url: str) -> None:
    pacers, all_have_booked = [Pacer(connect_briefly(redis_url)) for _ in range(2)], Barrier(100)

    def call(number: int) -> None:
        pacer = pacers[number % 2]
        pacer.book("main", 1000.0)
        all_have_booked.wait()
        pacer.throttled("main", 1000.0)

    with ThreadPoolExecutor(100) as crowd:
        list(crowd.map(call, range(100)))
    assert store.hget(keys.pace("main"), "cuts") == "1"
    with ThreadPoolExecutor(100) as strangers:
        list(strangers.map(lambda number: pacers[number % 2].throttled("main", 1000.0), range(100)))
    assert store.hget(keys.pace("main"), "cuts") == "1"


def test_the_rate_falls_to_what_was_accepted(pacer: Pacer) -> None:
    began = time.monotonic()
    while time.monotonic() - began < 1.2:
        time.sleep(pacer.book("main", 100.0).wait / 1000)
    pacer.throttled("main", 1000.0)
    rate = pacer.rates(["main", "unknown"])["main"]
    assert rate.declared == 1000.0
    assert rate.effective is not None
    assert rate.used < 105
    assert 0.8 * rate.used < rate.effective < rate.used + 1
    assert pacer.rates(["unknown"])["unknown"].effective is None


def test_a_time_that_the_provider_named_is_waited_for(pacer: Pacer) -> None:
    pacer.book("main", 100.0)
    pacer.throttled("main", 100.0, 1.0)
    later = pacer.book("main", 100.0).later
    assert later is not None
    assert 900 < later <= 1_000


def test_a_cut_without_a_declared_rate_is_none(store: redis.Redis, pacer: Pacer) -> None:
    pacer.throttled("main", None)
    assert store.keys("*") == []


def test_a_redis_whose_clock_was_ahead_stops_nobody_after_a_failover(store: redis.Redis, pacer: Pacer) -> None:
    store.hset(keys.pace("main"), "next", int((time.time() + 3600) * 1e6))
    assert pacer.book("main", 10.0).wait == 0
    assert 90 <= pacer.book("main", 10.0).wait <= 100


def test_a_full_redis_goes_on_pacing(start_redis: Callable[..., AbstractContextManager[tuple[str, Any]]]) -> None:
    with start_redis() as (url, _):
        store = connect_briefly(url)
        pacer = Pacer(store)
        for fill in (False, True):
            if fill:
                store.config_set("maxmemory", 1)
            booking = pacer.book("main", 100.0, [[("a", DAILY)]])
            assert booking.capped == {}
            pacer.give_back("main", booking, [[("a", DAILY)]])
            pacer.throttled("main", 100.0)
            time.sleep(0.1)
        assert store.exists(keys.cap("main", "a")) == 0


def test_redis_decides_by_the_same_formula(store: redis.Redis) -> None:
    pace = files("smsgate.ledger").joinpath("lua", "functions", "pace.lua").read_text(encoding="utf-8")
    ask = store.register_script(
        f"""{pace}
        local cut = ARGV[4] ~= '' and {{ rate = tonumber(ARGV[3]), at = tonumber(ARGV[4]), chain = tonumber(ARGV[5]),
          sure = ARGV[6] == '1' }} or nil
        local declared, now, used, wait = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[7]), tonumber(ARGV[8])
        local next_cut = cut_down(declared, cut, now, now - tonumber(ARGV[9]) * 1e6, used)
        local said = {{ effective(declared, cut, now, used), next_cut.rate, next_cut.chain, hold(next_cut, wait),
          ahead_of(cut, now, 2000000) / 1e6, next_cut.sure and 1 or 0 }}
        for place, one in ipairs(said) do said[place] = string.format('%.12g', one) end
        return said"""
    )
    chance, now = Random(7), 1_800_000_000.0
    for _ in range(500):
        declared, used = chance.uniform(0.1, 6000), chance.uniform(0, 6000)
        aged = 10 ** chance.uniform(-2, 3)
        cut = Cut(chance.uniform(0.1, declared), now - aged, chance.randrange(6), sure=chance.random() < 0.5)
        known = cut if chance.random() < 0.9 else None
        wait = chance.choice([0.0, 0.2, 5.0, 90.0])
        lag = chance.uniform(0, 2)
        after = cut_down(declared, known, now, now - lag, used)
        expected = [
            *(effective(declared, known, now, used), after.rate, after.chain, hold(after, wait)),
            *(ahead(known, now, 2.0), int(after.sure)),
        ]
        at = "" if known is None else f"{known.at * 1e6:.0f}"
        args = [declared, f"{now * 1e6:.0f}", cut.rate, at, cut.chain, int(cut.sure), used, wait, lag]
        assert [float(one) for one in ask(args=args)] == pytest.approx(expected, rel=1e-5)


def test_the_latest_cut_is_read_as_it_was_written(store: redis.Redis, pacer: Pacer) -> None:
    pacer.book("main", 100.0)
    pacer.throttled("main", 100.0)
    cut = cut_of(store.hgetall(keys.pace("main")))
    assert cut is not None
    assert (cut.rate, cut.chain, cut.sure) == (1.0, 0, False)
