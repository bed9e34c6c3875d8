"""While Redis is away a process decides by itself, by the same rule over its own calls; and joins the others again."""

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from smsgate.errors import StoreUnavailable
from smsgate.flow.standing import Blocked, Go
from smsgate.ledger.connection import connect_briefly
from smsgate.routing.breaker import Phase, Reason
from tests.ledger.watches import CHANNEL, DOWN, NO_MONEY, QUICK, SENT, make, until, watch_over

StartRedis = Callable[..., AbstractContextManager[tuple[str, Any]]]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_decides_alone_and_with_the_others_again(start_redis: StartRedis, port: int) -> None:
    client = connect_briefly(f"redis://127.0.0.1:{port}/0")
    watch = watch_over(client)
    with start_redis(port=port):
        assert watch.admit(CHANNEL) == Go()
        make(watch, DOWN, 5)
    make(watch, DOWN, 5)
    until(lambda: watch.peek(CHANNEL).phase is Phase.OPEN)
    assert watch.peek(CHANNEL).reason is Reason.FAILING
    until(lambda: watch.admit(CHANNEL) == Go(is_probe=True))
    assert isinstance(watch.admit(CHANNEL), Blocked), "one probe at a time"
    make(watch, SENT)
    until(lambda: watch.admit(CHANNEL) == Go(is_probe=True))
    make(watch, SENT)
    assert watch.admit(CHANNEL) == Go()
    with pytest.raises(StoreUnavailable):
        watch.open_by_hand(CHANNEL, "an operator is told that nobody hears it")
    with start_redis(port=port):
        other = watch_over(client)
        other.open_by_hand(CHANNEL, "maintenance")
        until(lambda: watch.peek(CHANNEL).reason is Reason.BY_HAND)
        watch.close()


def test_what_is_open_stays_open_when_redis_goes(start_redis: StartRedis, port: int) -> None:
    watch = watch_over(connect_briefly(f"redis://127.0.0.1:{port}/0"), QUICK.model_copy(update={"account_sleep": 60}))
    with start_redis(port=port):
        make(watch, NO_MONEY)
        assert watch.peek(CHANNEL).reason is Reason.ACCOUNT
    time.sleep(0.6)
    blocked = watch.admit(CHANNEL)
    assert isinstance(blocked, Blocked)
    assert blocked.reason is Reason.ACCOUNT
    watch.close()


def test_a_probe_granted_before_redis_went_is_made_and_nothing_raises(start_redis: StartRedis, port: int) -> None:
    watch = watch_over(connect_briefly(f"redis://127.0.0.1:{port}/0"))
    with start_redis(port=port):
        make(watch, DOWN, 10)
        until(lambda: watch.peek(CHANNEL).phase is Phase.OPEN)
        until(lambda: watch.admit(CHANNEL) == Go(is_probe=True))
    make(watch, SENT)
    make(watch, NO_MONEY)
    watch.close()


def test_a_redis_that_is_silent_holds_up_a_call_for_a_moment_only(start_redis: StartRedis) -> None:
    with start_redis() as (url, server):
        watch = watch_over(connect_briefly(url))
        os.kill(server.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            for _ in range(100):
                assert watch.admit(CHANNEL) == Go()
                make(watch, SENT)
            assert time.monotonic() - began < 1.5
        finally:
            os.kill(server.pid, signal.SIGCONT)
        watch.close()
