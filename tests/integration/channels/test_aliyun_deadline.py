"""Providers that take their time over an answer, on real sockets."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from smsgate.channels.aliyun import AliyunChannel, AliyunConfig
from smsgate.channels.channel import Submission
from smsgate.outcome import Sent, Uncertain

LIMIT = 0.4


@pytest.fixture
def hurried(wire: Any) -> AliyunChannel:
    """A channel that gives each read a second, and the whole answer less."""
    return AliyunChannel(AliyunConfig(wire.endpoint, "http", read_timeout_ms=1_000, answer_limit_ms=int(LIMIT * 1000)))


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
    hurried: AliyunChannel, scene: Any, submission: Submission, drip: Callable[..., None]
) -> None:
    scene.answer = drip
    began = time.monotonic()

    assert hurried.send(submission) == Uncertain("time_limit")
    assert LIMIT <= time.monotonic() - began < LIMIT + 5  # it would drip for ever; a busy machine takes its time


def test_a_connection_whose_answer_was_cut_off_is_thrown_away(
    hurried: AliyunChannel, scene: Any, submission: Submission
) -> None:
    answered = scene.answer
    hurried.send(submission)
    open_files = _open_files()
    scene.answer = drip_body
    for _ in range(3):
        hurried.send(submission)
    scene.answer = answered

    assert isinstance(hurried.send(submission), Sent)
    # One before, one for each that was cut off (the first took the one that was kept), one after.
    assert scene.connections == 1 + 2 + 1
    assert _open_files() <= open_files + 3  # the server's ends may linger, in this very process


def test_an_answer_in_time_leaves_the_connection_as_it_was(
    wire: Any, scene: Any, submitting: Callable[..., Submission]
) -> None:
    """A read whose patience is longer than what is left of the time shortens it, and must not for the next call."""
    channel = AliyunChannel(AliyunConfig(wire.endpoint, "http", read_timeout_ms=1_500, answer_limit_ms=1_000))

    assert all(isinstance(channel.send(submitting(f"m-{n}")), Sent) for n in range(5))
    assert scene.connections == 1


def test_threads_share_the_connections_and_each_gets_its_own_answer(
    wire: Any, scene: Any, submitting: Callable[..., Submission]
) -> None:
    channel = AliyunChannel(AliyunConfig(wire.endpoint, "http"))

    with ThreadPoolExecutor(32) as pool:
        ids = [f"m-{n}" for n in range(640)]
        assert list(pool.map(lambda one: channel.send(submitting(one)), ids)) == [Sent(f"biz-{one}") for one in ids]

    assert scene.connections <= 32


def _open_files() -> int:
    return len(list(Path(f"/proc/{os.getpid()}/fd").iterdir()))
