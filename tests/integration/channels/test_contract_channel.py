"""Every channel, its real SDK and real sockets: what holds whoever the provider is, while all goes well and not."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from smsgate.channels.channel import Channel
from smsgate.channels.registry import build
from smsgate.outcome import Fault, Refused, Sent, Uncertain, Unsent
from tests.integration.channels.contract import CODE, PHONE, Provider
from tests.integration.channels.programs import run

Reach = Callable[..., Channel]


def test_an_accepted_message_is_sent_under_the_providers_id(reach: Reach, provider: Provider) -> None:
    assert reach().send(provider.submission()) == Sent("biz-m-1")


def test_a_chunk_goes_out_as_long_as_it_has_no_more_than_the_channel_takes(reach: Reach, provider: Provider) -> None:
    channel: Any = reach()

    assert isinstance(channel.send_chunk("c-1", [provider.submission()]), Sent)
    assert 1 <= channel.most_together <= 1000


def test_a_channel_has_the_name_that_it_was_given(provider: Provider) -> None:
    assert build(provider.name, "backup", provider.options).name == "backup"


def test_a_throttled_message_is_unsent(reach: Reach, scene: Any, provider: Provider) -> None:
    channel = reach()
    scene.answer = provider.saying(provider.throttled)

    outcome = channel.send(provider.submission())

    assert isinstance(outcome, Unsent)
    assert outcome.fault is Fault.THROTTLED


def test_neither_outcome_nor_submission_shows_number_or_code(reach: Reach, scene: Any, provider: Provider) -> None:
    channel = reach()
    scene.answer = provider.saying(provider.refused)
    submission = provider.submission()

    shown = repr(channel.send(submission)) + repr(submission)

    assert PHONE not in shown
    assert CODE not in shown


@pytest.mark.parametrize("body", [b"<html>bad gateway</html>", b"", b"null", b"[]", b'["OK"]', b"{}", b"\xff\xfe"])
@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8", "text/html"])
def test_an_answer_that_is_not_the_providers_leaves_the_message_uncertain(
    body: bytes, media: str, reach: Reach, scene: Any, provider: Provider
) -> None:
    channel = reach()
    scene.answer = lambda exchange, _: exchange.reply(body, 200, {"Content-Type": media})

    assert channel.send(provider.submission()) == Uncertain("unparsable_answer")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_leaves_the_message_uncertain(status: int, reach: Reach, scene: Any, provider: Provider) -> None:
    channel = reach()
    scene.answer = lambda exchange, _: exchange.reply(b"<html>nginx</html>", status)

    assert isinstance(channel.send(provider.submission()), Uncertain)
    assert len(scene.asked) == 1


def test_a_redirect_is_not_followed(reach: Reach, scene: Any, provider: Provider, wire: Any) -> None:
    channel = reach()
    there = {"Location": f"http://{wire.endpoint}/elsewhere", "Content-Length": "0"}
    scene.answer = lambda exchange, _: exchange.raw_reply(b"", 307, there)

    assert isinstance(channel.send(provider.submission()), Uncertain)
    assert len(scene.asked) == 1


def test_a_thread_sends_all_its_messages_over_one_connection(reach: Reach, scene: Any, provider: Provider) -> None:
    channel = reach()

    sent = [channel.send(provider.submission(f"m-{n}")) for n in range(50)]

    assert sent == [Sent(f"biz-m-{n}") for n in range(50)]
    assert scene.connections == 1


def test_twenty_threads_each_get_their_own_answers_over_few_connections(
    reach: Reach, scene: Any, provider: Provider
) -> None:
    channel = reach(read_timeout_ms=10_000)

    def send(n: int) -> bool:
        return channel.send(provider.submission(f"m-{n}")) == Sent(f"biz-m-{n}")

    with ThreadPoolExecutor(20) as threads:
        assert all(threads.map(send, range(800)))

    assert scene.connections <= 20


def test_two_channels_to_one_provider_share_its_connections(reach: Reach, scene: Any, provider: Provider) -> None:
    reach().send(provider.submission())
    reach().send(provider.submission())

    assert scene.connections == 1


def test_children_forked_after_a_call_get_their_own_answers(wire: Any, scene: Any, provider: Provider) -> None:
    scene.answer = provider.accept

    senders = run("forked_senders.py", provider.name, wire.endpoint)

    assert json.loads(senders.stdout) == {"parent": True, "children": [0, 0, 0, 0]}
    assert len(scene.asked) == 1 + 4 * 50 + 1
    # The parent keeps its connection, and each child opens one.
    assert scene.connections == 5


def test_a_loopback_endpoint_is_never_reached_through_a_proxy(
    reach: Reach, provider: Provider, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port}")

    assert reach().send(provider.submission()) == Sent("biz-m-1")


def test_a_password_for_the_host_does_not_take_the_signatures_place(
    reach: Reach, scene: Any, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "netrc"
    passwords.write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(passwords))

    assert isinstance(reach().send(provider.submission()), Sent)
    assert "Credential=testid" in scene.asked[0].headers["authorization"]


def test_the_key_is_read_from_the_variables_that_are_named(
    reach: Reach, scene: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = dict(zip(provider.key_options, ("BACKUP_ID", "BACKUP_SECRET"), strict=True))
    channel = reach(**names)
    assert channel.send(provider.submission()) == Refused("no_credentials", Fault.CREDENTIALS)
    assert scene.asked == []

    monkeypatch.setenv("BACKUP_ID", "otherid")
    monkeypatch.setenv("BACKUP_SECRET", "othersecret")

    assert channel.send(provider.submission()) == Sent("biz-m-1")
    assert "Credential=otherid" in scene.asked[0].headers["authorization"]


def test_building_a_channel_does_not_import_its_sdk(provider: Provider) -> None:
    program = (
        "import sys; from smsgate.channels.registry import build\n"
        f"build({provider.name!r}, 'main', {dict(provider.options)!r})\nprint(*sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)

    imported = {name.partition(".")[0] for name in done.stdout.split()}
    sdks = ("alibabacloud", "darabonba", "Tea", "tencentcloud", "requests", "aiohttp")
    assert "smsgate" in imported
    assert not {name for name in imported if name.startswith(sdks)}
