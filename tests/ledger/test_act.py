"""A script that is called over connections kept beside redis-py's pool."""

import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest
import redis

from smsgate.ledger.act import Act
from smsgate.ledger.connection import connect_briefly

# Answers with the state of the record that is its first key, which nobody wrote: `gone`, and its id.
PLACE = "place"
KEYS = ("record", "due", "waiting", "parked", "queue", "groups")
ARGS = ("id", "", "", 0, "", "", "", "", 0, 60)
StartRedis = Callable[..., AbstractContextManager[tuple[str, Any]]]


class _CutOff(Exception):
    """What Celery's soft time limit is to a task."""


def _act(redis_url: str, name: str) -> Callable[[], Any]:
    act = Act(connect_briefly(f"{redis_url}?client_name={name}"), PLACE)
    return lambda: act(KEYS, ARGS)


def _connections(store: redis.Redis, name: str) -> list[str]:
    return [one["id"] for one in store.client_list() if one["name"] == name]


def test_one_caller_after_another_uses_one_connection(redis_url: str, store: redis.Redis) -> None:
    act = _act(redis_url, "one")
    act()  # Redis may not know the script yet: then the pool's own connection brings it
    before = _connections(store, "one")
    for _ in range(20):
        assert act() == "gone"
    assert _connections(store, "one") == before


def test_a_redis_that_has_forgotten_the_script_gets_it_again(redis_url: str, store: redis.Redis) -> None:
    act = _act(redis_url, "forgotten")
    store.script_flush()
    assert [act(), act()] == ["gone", "gone"]


def test_each_of_many_threads_gets_its_own_answer(redis_url: str) -> None:
    client = connect_briefly(redis_url)
    accept = Act(client, "accept")

    def accepted(number: int) -> str:
        keys = [f"many:{number}", "queue", "", "due", "waiting", "groups"]
        return str(accept(keys, [f"id-{number}", "", 60, "", 60, "", "", "", 0, 60, "state", "queued"])[1])

    with ThreadPoolExecutor(16) as crowd:
        assert list(crowd.map(accepted, range(2_000))) == [f"id-{number}" for number in range(2_000)]


def test_a_connection_that_redis_closed_is_made_anew(redis_url: str, store: redis.Redis) -> None:
    act = _act(redis_url, "closed")
    act()
    for one in _connections(store, "closed"):
        store.client_kill_filter(_id=one)
    assert act() == "gone"


def test_a_redis_that_was_away_for_many_calls_is_found_when_it_is_back(
    start_redis: StartRedis,
) -> None:
    """Every failed call once cost one of the pool's hundred connections, for ever."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    act = _act(f"redis://127.0.0.1:{port}/0", "away")
    for _ in range(120):
        with pytest.raises(redis.ConnectionError):
            act()
    with start_redis(port=port):
        assert act() == "gone"


def test_the_answer_of_a_call_that_was_cut_off_is_nobodys(redis_url: str, store: redis.Redis) -> None:
    """As a worker's time limit does it: by an exception from a signal, while Redis is busy with the call."""
    act = _act(redis_url, "cut")
    act()

    def cut(*_: object) -> None:
        raise _CutOff

    before = signal.signal(signal.SIGALRM, cut)
    try:
        store.client_pause(timeout=300)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(_CutOff):
            act()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert act() == "gone"


def test_a_forked_child_leaves_its_parents_connections_alone(redis_url: str, store: redis.Redis) -> None:
    act = _act(redis_url, "forked")
    act()
    before = _connections(store, "forked")
    child = os.fork()
    if child == 0:
        os._exit(0 if act() == "gone" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert act() == "gone"
    assert set(_connections(store, "forked")) <= set(before)
