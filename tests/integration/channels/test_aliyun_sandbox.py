"""The channel against the sandbox: signatures are verified, messages rendered, receipts pushed."""

import queue
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from smsgate.channels.aliyun import AliyunChannel, AliyunConfig
from smsgate.channels.aliyun.preflight import check
from smsgate.channels.aliyun.receipts import parse_replies, parse_reports
from smsgate.channels.channel import Submission
from smsgate.message import MessageId
from smsgate.outcome import Fault, Outcome, Refused, Sent, Uncertain, Unsent
from smsgate.phone import parse
from smsgate.sandbox.process import SandboxProcess

SIGN = "阿里云短信测试"
TEMPLATE = "SMS_154950909"


def send(road: AliyunConfig, message_id: str = "m-1", *, to: str = "13900000001", template: str = TEMPLATE) -> Outcome:
    submission = Submission(MessageId(message_id), parse(to), SIGN, template, {"code": "918273"})
    return AliyunChannel(road).send(submission)


def test_a_number_abroad_is_reached(road: AliyunConfig, sandbox: SandboxProcess) -> None:
    assert isinstance(send(road, to="+85261234567", template="SMS_200000003"), Sent)
    assert len(sandbox.messages(out_id="m-1")) == 1


@pytest.mark.parametrize(
    ("fault", "outcome", "received"),
    [
        ({"kind": "throttle"}, Unsent("Throttling.User", Fault.THROTTLED), 0),
        ({"kind": "throttle", "retry_after_ms": 250}, Unsent("Throttling.User", Fault.THROTTLED, 0.25), 0),
        (
            {"kind": "business_error", "code": "isv.BUSINESS_LIMIT_CONTROL", "message": "触发天级流控Permits:10"},
            Unsent("isv.BUSINESS_LIMIT_CONTROL", Fault.RECIPIENT, 86400),
            0,
        ),
        ({"kind": "business_error", "code": "isv.OUT_OF_SERVICE"}, Refused("isv.OUT_OF_SERVICE", Fault.ACCOUNT), 0),
    ],
)
def test_a_refusal_keeps_its_code_and_the_time_that_it_names(
    fault: dict[str, Any], outcome: Outcome, received: int, road: AliyunConfig, sandbox: SandboxProcess
) -> None:
    sandbox.fault(**fault)

    assert send(road) == outcome
    assert len(sandbox.messages(out_id="m-1")) == received


def test_no_message_of_many_threads_is_lost_or_doubled_on_a_shaky_day(
    road: AliyunConfig, sandbox: SandboxProcess
) -> None:
    sandbox.fault(kind="reset", probability=0.2, seed=1, accepted=True)
    sandbox.fault(kind="throttle", probability=0.2, seed=2)

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda n: send(road, f"m-{n}"), range(200)))

    for n, outcome in enumerate(outcomes):
        received = [message["biz_id"] for message in sandbox.messages(out_id=f"m-{n}")]
        match outcome:
            case Sent(provider_id):
                assert received == [provider_id]
            case Unsent():
                assert received == []
            case _:
                assert outcome == Uncertain("connection_reset")
                assert len(received) == 1


def test_a_wrong_sign_or_template_is_refused_as_configuration(road: AliyunConfig) -> None:
    assert send(road, template="SMS_999999999") == Refused("isv.SMS_TEMPLATE_ILLEGAL", Fault.CONFIGURATION)


def test_what_the_sandbox_pushes_can_be_read(
    road: AliyunConfig, sandbox: SandboxProcess, wire: Any, scene: Any
) -> None:
    pushes: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    scene.answer = lambda exchange, asked: (pushes.put(asked.body), exchange.reply({"code": 0, "msg": "ok"}))
    sandbox.callbacks(report_url=f"http://{wire.endpoint}/reports", up_url=f"http://{wire.endpoint}/replies")
    sandbox.fault(kind="undeliverable", err_code="MOBLLE_TERMINAL_ERROR")
    began = time.time()

    sent = send(road)
    [receipt] = parse_reports(pushes.get(timeout=10)).entries
    sandbox.reply("13900000001", "TD")
    [reply] = parse_replies(pushes.get(timeout=10)).entries

    assert isinstance(sent, Sent)
    assert (receipt.message_id, receipt.provider_id, receipt.phone) == ("m-1", sent.provider_id, "+8613900000001")
    assert (receipt.delivered, receipt.code, receipt.reason) == (False, "MOBLLE_TERMINAL_ERROR", "handset")
    assert abs((receipt.reported_at or 0) / 1000 - began) < 5
    assert (reply.phone, reply.content) == ("+8613900000001", "TD")


def test_the_doctor_finds_the_sandbox_well(road: AliyunConfig) -> None:
    findings = check(road, SIGN, TEMPLATE)

    assert [finding.check for finding in findings if not finding.ok] == []
    assert [finding.check for finding in findings] == ["credentials", "endpoint", "clock", "key", "sign", "template"]
    assert findings[-1].detail == f"{TEMPLATE}: approved; variables: code"


def test_the_doctor_finds_a_sign_that_the_account_does_not_own(road: AliyunConfig) -> None:
    findings = {finding.check: finding for finding in check(road, "不存在", "SMS_999999999")}

    assert findings["key"].ok
    assert not findings["sign"].ok
    assert not findings["template"].ok
