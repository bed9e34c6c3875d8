"""Every channel, and a provider that takes its time over an answer, on real sockets."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from smsgate.channels.channel import Channel
from smsgate.outcome import Sent, Uncertain
from tests.integration.channels.contract import Provider

Reach = Callable[..., Channel]

LIMIT = 0.4


@pytest.fixture
def hurried(reach: Reach) -> Channel:
    """A channel that gives each read a second, and the whole answer less."""
    return reach(answer_limit_ms=int(LIMIT * 1000))


def drip_body(exchange: Any, _asked: Any) -> None:
    exchange.raw_reply(b"{", 200, {"Content-Length": "1000"})
    _drip(exchange)


def drip_head(exchange: Any, _asked: Any) -> None:
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(exchange)


def _drip(exchange: Any) -> None:
    while not exchange.server.scene.over.wait(0.05):
        try:
            exchange.wfile.write(b" ")
        except OSError:
            break
    exchange.hang_up()


@pytest.mark.parametrize("drip", [drip_head, drip_body])
def test_an_answer_that_drips_is_cut_off_and_leaves_the_message_uncertain(
    hurried: Channel, scene: Any, provider: Provider, drip: Callable[..., None]
) -> None:
    scene.answer = drip
    began = time.monotonic()

    assert hurried.send(provider.submission()) == Uncertain("time_limit")
    assert LIMIT <= time.monotonic() - began < LIMIT + 5  # it would drip for ever; a busy machine takes its time


def test_a_connection_whose_answer_was_cut_off_is_thrown_away(hurried: Channel, scene: Any, provider: Provider) -> None:
    answered = scene.answer
    hurried.send(provider.submission())
    open_files = _open_files()
    scene.answer = drip_body
    for _ in range(3):
        hurried.send(provider.submission())
    scene.answer = answered

    assert isinstance(hurried.send(provider.submission()), Sent)
    # One before, one for each that was cut off (the first took the one that was kept), one after.
    assert scene.connections == 1 + 2 + 1
    assert _open_files() <= open_files + 3  # the server's ends may linger, in this very process


def test_an_answer_in_time_leaves_the_connection_as_it_was(reach: Reach, scene: Any, provider: Provider) -> None:
    """A read whose patience is longer than what is left of the time shortens it, and must not for the next call."""
    channel = reach(read_timeout_ms=1_500, answer_limit_ms=1_000)

    assert all(isinstance(channel.send(provider.submission(f"m-{n}")), Sent) for n in range(5))
    assert scene.connections == 1


def test_threads_share_the_connections_and_each_gets_its_own_answer(
    reach: Reach, scene: Any, provider: Provider
) -> None:
    channel = reach(read_timeout_ms=10_000)

    with ThreadPoolExecutor(32) as pool:
        ids = [f"m-{n}" for n in range(640)]
        assert list(pool.map(lambda one: channel.send(provider.submission(one)), ids)) == [
            Sent(f"biz-{one}") for one in ids
        ]

    assert scene.connections <= 32


def _open_files() -> int:
    return len(list(Path(f"/proc/{os.getpid()}/fd").iterdir()))
