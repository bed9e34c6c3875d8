"""The channel, the real SDK and real sockets, while all goes well: what is on the wire, over which connections."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from smsgate.channels.aliyun import AliyunChannel, AliyunConfig
from smsgate.channels.channel import Channel, Submission
from smsgate.outcome import Sent

HERE = Path(__file__).parent


def test_an_accepted_message_is_sent_under_the_providers_id(channel: Channel, submission: Submission) -> None:
    assert channel.send(submission) == Sent("biz-m-1")


def test_the_message_is_on_the_wire_as_the_provider_wants_it(
    channel: Channel, scene: Any, submission: Submission
) -> None:
    channel.send(submission)

    [asked] = scene.asked
    assert asked.query == {
        "OutId": "m-1",
        "PhoneNumbers": "13900000001",
        "SignName": "阿里云",
        "TemplateCode": "SMS_154950909",
        "TemplateParam": '{"code":"918273"}',
    }
    assert asked.headers["x-acs-action"] == "SendSms"
    assert asked.headers["x-acs-version"] == "2017-05-25"
    assert asked.headers["authorization"].startswith("ACS3-HMAC-SHA256 Credential=testid,")


def test_a_number_abroad_goes_out_with_its_country_code_and_no_plus(
    channel: Channel, scene: Any, submitting: Callable[..., Submission]
) -> None:
    channel.send(submitting("m-1", to="+85261234567"))

    assert scene.asked[0].query["PhoneNumbers"] == "85261234567"


def test_chinese_params_stay_readable_and_none_are_left_out(
    channel: Channel, scene: Any, submission: Submission
) -> None:
    of = (submission.id, submission.phone, submission.sign, submission.template)
    channel.send(Submission(*of, {"name": "张三 & co"}))
    channel.send(Submission(*of, {}))

    assert scene.asked[0].query["TemplateParam"] == '{"name":"张三 & co"}'
    assert "TemplateParam" not in scene.asked[1].query


def test_a_thread_sends_all_its_messages_over_one_connection(
    channel: Channel, scene: Any, submitting: Callable[..., Submission]
) -> None:
    sent = [channel.send(submitting(f"m-{n}")) for n in range(50)]

    assert sent == [Sent(f"biz-m-{n}") for n in range(50)]
    assert scene.connections == 1


def test_sixteen_threads_each_get_their_own_answers_over_few_connections(
    channel: Channel, scene: Any, submitting: Callable[..., Submission]
) -> None:
    def send(n: int) -> bool:
        return channel.send(submitting(f"m-{n}")) == Sent(f"biz-m-{n}")

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(send, range(800)))

    assert scene.connections <= 16


def test_two_channels_to_one_provider_share_its_connections(
    config: AliyunConfig, scene: Any, submission: Submission
) -> None:
    AliyunChannel(config).send(submission)
    AliyunChannel(config).send(submission)

    assert scene.connections == 1


def test_children_forked_after_a_call_get_their_own_answers(wire: Any, scene: Any) -> None:
    senders = subprocess.run(
        [sys.executable, HERE / "forked_senders.py", wire.endpoint],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert json.loads(senders.stdout) == {"parent": True, "children": [0, 0, 0, 0]}
    assert len(scene.asked) == 1 + 4 * 50 + 1
    # The parent keeps its connection, and each child opens one.
    assert scene.connections == 5


def test_a_loopback_endpoint_is_never_reached_through_a_proxy(
    channel: Channel, submission: Submission, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port}")

    assert channel.send(submission) == Sent("biz-m-1")


def test_importing_the_channel_does_not_import_the_sdk() -> None:
    program = "import sys, smsgate.channels.aliyun.channel; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)

    imported = {name.partition(".")[0] for name in done.stdout.split()}
    assert "smsgate" in imported
    assert not {
        name for name in imported if name.startswith(("alibabacloud", "darabonba", "Tea", "requests", "aiohttp"))
    }
