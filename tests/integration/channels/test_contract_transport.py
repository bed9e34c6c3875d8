"""Every channel, its real SDK and real sockets: what is surely unsent when the network fails, and what is uncertain."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from billiard.exceptions import SoftTimeLimitExceeded

from smsgate.channels.channel import Channel
from smsgate.outcome import Fault, Refused, Sent, Uncertain, Unsent
from tests.integration.channels.contract import Provider

Reach = Callable[..., Channel]


@pytest.fixture
def backlog() -> Iterator[int]:
    """Give a port whose queue of connections is full: a further connect is neither accepted nor refused."""
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def test_a_refused_connection_is_unsent(provider: Provider, free_port: int) -> None:
    channel = provider.channel(f"127.0.0.1:{free_port}")

    assert channel.send(provider.submission()) == Unsent("connect_refused", Fault.PROVIDER)


def test_a_name_that_does_not_resolve_is_unsent(provider: Provider) -> None:
    channel = provider.channel("sms.invalid")

    assert channel.send(provider.submission()) == Unsent("dns", Fault.PROVIDER)


def test_a_connection_that_nobody_accepts_is_unsent_after_the_connect_timeout(provider: Provider, backlog: int) -> None:
    channel = provider.channel(f"127.0.0.1:{backlog}", connect_timeout_ms=300)

    began = time.monotonic()
    assert channel.send(provider.submission()) == Unsent("connect_timeout", Fault.PROVIDER)
    assert 0.3 <= time.monotonic() - began < 2


def test_an_endpoint_that_is_none_is_refused(provider: Provider) -> None:
    channel = provider.channel("127.0.0.1:99999")

    assert channel.send(provider.submission()) == Refused("invalid_endpoint", Fault.CREDENTIALS)


def test_a_proxy_that_does_not_answer_leaves_the_message_unsent(
    provider: Provider, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port}")
    channel = provider.channel("sms.invalid", pool_size=2)

    assert channel.send(provider.submission()) == Unsent("proxy", Fault.PROVIDER)


def test_no_proxy_is_honoured(provider: Provider, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("NO_PROXY", ".invalid")
    channel = provider.channel("sms.invalid", pool_size=3)

    assert channel.send(provider.submission()) == Unsent("dns", Fault.PROVIDER)


def test_speaking_tls_to_who_does_not_leaves_the_message_uncertain(reach: Reach, provider: Provider) -> None:
    channel = reach(protocol="https")

    assert channel.send(provider.submission()) == Uncertain("tls")


def test_a_provider_that_falls_silent_leaves_the_message_uncertain_after_the_read_timeout(
    reach: Reach, scene: Any, provider: Provider
) -> None:
    scene.answer = lambda *_: scene.over.wait(10)
    channel = reach(read_timeout_ms=300)

    began = time.monotonic()
    assert channel.send(provider.submission()) == Uncertain("read_timeout")
    assert 0.3 <= time.monotonic() - began < 2


def test_a_failure_that_the_caller_was_handling_is_not_taken_for_ours(
    reach: Reach, scene: Any, provider: Provider, free_port: int
) -> None:
    scene.answer = lambda *_: scene.over.wait(10)
    channel = reach(read_timeout_ms=200)

    try:
        socket.create_connection(("127.0.0.1", free_port))
    except ConnectionRefusedError:
        assert channel.send(provider.submission()) == Uncertain("read_timeout")


@pytest.mark.parametrize("way", ["hang_up", "reset"])
def test_a_connection_that_ends_without_an_answer_leaves_the_message_uncertain(
    way: str, reach: Reach, scene: Any, provider: Provider
) -> None:
    scene.answer = lambda exchange, _: getattr(exchange, way)()

    assert reach().send(provider.submission()) == Uncertain("connection_reset")


def test_an_answer_that_breaks_off_leaves_the_message_uncertain(reach: Reach, scene: Any, provider: Provider) -> None:
    def break_off(exchange: Any, _: object) -> None:
        exchange.raw_reply(b'{"Code":"OK"', 200, {"Content-Length": "99", "Content-Type": "application/json"})
        exchange.hang_up()

    scene.answer = break_off

    assert reach().send(provider.submission()) == Uncertain("truncated_answer")


def test_a_soft_time_limit_in_the_midst_of_the_call_leaves_the_message_uncertain(
    reach: Reach, scene: Any, provider: Provider, interrupting: Callable[[type[Exception]], None]
) -> None:
    def strike(*_: object) -> None:
        interrupting(SoftTimeLimitExceeded)
        scene.over.wait(10)

    scene.answer = strike

    assert reach().send(provider.submission()) == Uncertain("time_limit")


def test_the_next_message_after_a_failure_goes_out(reach: Reach, scene: Any, provider: Provider) -> None:
    failing = [("hang_up", "m-1"), ("reset", "m-2")]
    well = scene.answer
    for way, message_id in failing:
        scene.answer = lambda exchange, _, way=way: getattr(exchange, way)()
        assert reach().send(provider.submission(message_id)) == Uncertain("connection_reset")
        scene.answer = well
        assert reach().send(provider.submission(f"{message_id}-b")) == Sent(f"biz-{message_id}-b")
