"""A breaker that is half-open lets one probe through at a time, over all processes, and opens once for all."""

import multiprocessing
import time
from collections.abc import Callable
from itertools import pairwise
from multiprocessing.context import SpawnProcess
from typing import Any

import pytest
import redis

from smsgate.flow.standing import Go
from smsgate.ledger import keys
from smsgate.ledger.channel_states import ChannelStates
from smsgate.outcome import Outcome
from smsgate.routing.breaker import BreakerRule, Phase
from tests.ledger.watches import CHANNEL, DOWN, QUICK, SENT, die_as_probe, fail, hammer, make, until, watch_over

pytestmark = pytest.mark.crowd

PROCESSES = 8
_SPAWN = multiprocessing.get_context("spawn")


def _started(count: int, target: Callable[..., None], *args: Any) -> list[SpawnProcess]:
    started = [_SPAWN.Process(target=target, args=args, daemon=True) for _ in range(count)]
    for one in started:
        one.start()
    return started


def _ended(started: list[SpawnProcess]) -> None:
    for one in started:
        one.join(60)
        assert one.exitcode == 0


def _open(store: redis.Redis, rule: BreakerRule = QUICK) -> None:
    watch = watch_over(store, rule)
    make(watch, DOWN, 10)
    until(lambda: watch.peek(CHANNEL).phase is Phase.OPEN)
    watch.close()


def _most_at_once(store: redis.Redis) -> int:
    return max(int(number) for number in store.zrange("at_once", 0, -1))


@pytest.mark.parametrize(("probes", "outcome"), [(1, DOWN), (1, SENT), (2, DOWN)])
def test_eight_processes_send_no_more_probes_at_a_time_than_allowed(
    redis_url: str, store: redis.Redis, probes: int, outcome: Outcome
) -> None:
    """Those whose probes succeed need twelve until it closes; then all go through."""
    rule = QUICK.model_copy(update={"probes": probes, "successes": 12, "sleep": 0.2})
    _open(store, rule)
    processes = _started(PROCESSES, hammer, redis_url, rule, 4.0, outcome)
    until(lambda: store.get("ready") == str(PROCESSES), 60)
    store.set("begin", 1)
    _ended(processes)
    assert _most_at_once(store) == probes
    assert int(store.get("calls") or 0) >= 4
    assert int(store.get("through") or 0) == (PROCESSES if outcome is SENT else 0)
    events = ChannelStates(store, rule).events()[::-1]
    assert all(later.before is earlier.after for earlier, later in pairwise(events)), "each follows from the last"
    assert sum(event.after is Phase.CLOSED for event in events) == (outcome is SENT)


def test_it_opens_once_however_many_processes_fail(redis_url: str, store: redis.Redis) -> None:
    rule = QUICK.model_copy(update={"sleep": 30})
    processes = _started(4, fail, redis_url, rule, 20)
    until(lambda: store.get("ready") == "4", 60)
    store.set("begin", 1)
    _ended(processes)
    assert ChannelStates(store, rule).turns() == {(CHANNEL, "send", Phase.OPEN): 1}
    assert int(store.get("told") or 0) == 1, "one process logs it"


def test_a_process_killed_within_its_probe_holds_up_the_others_for_its_lease_only(
    redis_url: str, store: redis.Redis
) -> None:
    _open(store)
    time.sleep(QUICK.sleep)
    (killed,) = _started(1, die_as_probe, redis_url, QUICK)
    until(lambda: store.exists(keys.breaker_probes(f"{CHANNEL}|send")), 30)
    began = time.monotonic()
    watch = watch_over(store)
    until(lambda: watch.admit(CHANNEL) == Go(is_probe=True))
    assert 0.5 < time.monotonic() - began < QUICK.probe_lease + 1
    make(watch, SENT)
    until(lambda: watch.admit(CHANNEL) == Go(is_probe=True))
    make(watch, SENT)
    assert watch.peek(CHANNEL).phase is Phase.CLOSED
    killed.join()
    watch.close()
