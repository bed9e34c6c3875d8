"""The thread that keeps a process in touch: it costs calls nothing, ends in peace, and every child has its own."""

import os
import threading
import time
from collections.abc import Iterator

import pytest
import redis

from smsgate.flow.pulse import Pulse
from smsgate.flow.standing import Blocked, Go
from smsgate.flow.watch import Watch
from smsgate.ledger.channel_health import ChannelHealth
from tests.ledger.watches import CHANNEL, CODES, QUICK, SENT, handed_in, make, until, watch_over


@pytest.fixture
def watch(store: redis.Redis) -> Iterator[Watch]:
    watch = watch_over(store)
    yield watch
    watch.close()


def _commands(store: redis.Redis) -> int:
    return int(store.info("stats")["total_commands_processed"])


def test_a_call_costs_redis_nothing_of_its_own(watch: Watch, store: redis.Redis) -> None:
    watch.admit(CHANNEL)
    before, began = _commands(store), time.monotonic()
    for _ in range(2_000):
        assert watch.admit(CHANNEL) == Go()
        make(watch, SENT)
    beats = (time.monotonic() - began) / 0.25 + 2
    # A pulse makes some fifteen calls within its script, which Redis counts too.
    assert _commands(store) - before < beats * 20


def test_nothing_is_started_before_the_first_call(store: redis.Redis) -> None:
    before = threading.active_count()
    watch = watch_over(store)
    assert threading.active_count() == before
    watch.admit(CHANNEL)
    assert threading.active_count() == before + 1
    watch.close()
    assert threading.active_count() == before


def test_the_first_call_after_a_pause_knows_what_happened_meanwhile(watch: Watch, store: redis.Redis) -> None:
    watch.admit(CHANNEL)
    watch.close()
    other = watch_over(store)
    other.open_by_hand(CHANNEL, "meanwhile")
    time.sleep(1.1)
    assert isinstance(watch.admit(CHANNEL), Blocked)


def test_a_forked_child_counts_for_itself(watch: Watch, store: redis.Redis) -> None:
    make(watch, SENT, 100)  # not handed in yet: the parent will
    child = os.fork()
    if child == 0:
        make(watch, SENT, 7)
        watch.close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    handed_in(store, 107)
    watch.close()
    (health,) = ChannelHealth(store, QUICK).health(60).values()
    assert (health.ok, health.sent, sum(health.latencies)) == (107, 107, 107)


def test_many_threads_lose_no_count(watch: Watch, store: redis.Redis) -> None:
    threads = [threading.Thread(target=make, args=(watch, SENT, 500)) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    watch.close()
    assert ChannelHealth(store, QUICK).health(60)[CHANNEL, CODES].ok == 8_000


def test_a_beat_that_breaks_does_not_end_it() -> None:
    beats: list[float] = []

    def beat() -> bool:
        beats.append(time.monotonic())
        if len(beats) == 1:
            raise ValueError
        return True

    pulse = Pulse(beat, lambda: True, lambda: None)
    pulse.use()
    until(lambda: len(beats) >= 3)
    pulse.stop()
    assert not pulse.is_away
