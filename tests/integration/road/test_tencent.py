"""What Tencent pushes: through the door, past Redis and a worker, into the record of the message that it speaks of."""

import json
import os
from collections.abc import Iterator

import pytest

from smsgate.channels.channel import Submission
from smsgate.channels.registry import build
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.provider_ids import ProviderIds
from smsgate.message import MessageId
from smsgate.outcome import Sent
from smsgate.phone import parse
from smsgate.sandbox.process import SandboxProcess
from tests.integration.nodes.gateway import Gateway, fresh_phone
from tests.integration.nodes.until import until

RECEIVED = {"result": 0, "errmsg": "OK"}

os.environ.setdefault("TENCENTCLOUD_SECRET_ID", "testid")
os.environ.setdefault("TENCENTCLOUD_SECRET_KEY", "testsecret")


@pytest.fixture
def provider(gateway: Gateway) -> Iterator[SandboxProcess]:
    """A sandbox that pushes to the gateway as Tencent does."""
    urls = {
        "tencent_report_url": gateway.web.callback("sms-report", provider="tencent"),
        "tencent_up_url": gateway.web.callback("sms-up", provider="tencent"),
    }
    with SandboxProcess(report_delay=0.2, retry_delays="0.2,0.2", **urls) as sandbox:
        yield sandbox


@pytest.fixture
def unreported(gateway: Gateway) -> tuple[MessageId, str]:
    """A message that was sent and of which no report has come, and its number."""
    number = fresh_phone()
    gateway.sandbox.fault(kind="receipt_lost", match={"phone": number}, queryable=False)
    message_id = gateway.send(number)
    gateway.until_state(message_id, "sent")
    return MessageId(message_id), number


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", ["sms-report", "sms-up"])
def test_the_door_answers_as_the_provider_wants_it(gateway: Gateway, method: str, kind: str) -> None:
    url = gateway.web.callback(kind, provider="tencent")

    answer = gateway.web.ask(method, url, data=b"[]" if method == "POST" else None)

    assert (answer.status_code, answer.json()) == (200, RECEIVED)


@pytest.mark.parametrize(
    "where",
    [
        {"provider": "tencent", "secret": "wrong-secret-of-a-stranger"},
        {"provider": "tencent", "kind": "tencent-sms-report"},
        {"provider": "aliyun", "kind": "tencent-sms-report"},
        {"provider": "nobody"},
    ],
)
def test_elsewhere_there_is_nothing(gateway: Gateway, where: dict[str, str]) -> None:
    assert gateway.web.ask("POST", gateway.web.callback(**where), data=b"[]").status_code == 404


def test_a_report_ends_the_message_that_went_out_under_its_serial_number(
    gateway: Gateway, provider: SandboxProcess, unreported: tuple[MessageId, str]
) -> None:
    message_id, number = unreported
    options = {"app_id": "1400006666", "endpoint": provider.endpoint, "protocol": "http"}
    submission = Submission(message_id, parse(number), "阿里云短信测试", "154950909", {"code": "123456"})

    outcome = build("tencent", "backup", options).send(submission)
    assert isinstance(outcome, Sent)
    ProviderIds(connect_briefly(gateway.redis_url)).note("backup", outcome.provider_id, message_id)

    known = gateway.until_state(message_id, "delivered")
    assert known["timeline"][-1]["code"] == "DELIVRD"
    until(lambda: provider.stats()["tencent_reports"]["pushed"] == 1, "the push was answered as it should be")


def test_a_reply_joins_the_stream_of_replies(gateway: Gateway, provider: SandboxProcess) -> None:
    number = fresh_phone()

    provider.reply(number, "TD", service="tencent")

    def replies() -> list[dict[str, object]]:
        entries = gateway.redis.xrange("sms:replies")
        told = [json.loads(fields["reply"]) for _, fields in entries]
        return [reply for reply in told if reply["phone"] == f"+86{number.removeprefix('+86')}"]

    [reply] = until(replies, "the reply is kept")
    assert reply["content"] == "TD"
