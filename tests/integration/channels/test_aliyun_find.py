"""Asking the sandbox for messages that it was really sent."""

import time
from typing import Any

import pytest

from smsgate.channels.aliyun import AliyunChannel, AliyunConfig
from smsgate.channels.channel import Inquiry, Submission
from smsgate.message import MessageId
from smsgate.outcome import Fault, Sent, Uncertain
from smsgate.phone import parse
from smsgate.sandbox.process import SandboxProcess
from smsgate.trace import Known, NoAnswer, Trace, Unknown

TO = "13900000001"
ASKED = {"action": "QuerySendDetails"}


@pytest.fixture
def asking(road: AliyunConfig) -> AliyunChannel:
    return AliyunChannel(road)


def submission(message_id: str = "m-1") -> Submission:
    return Submission(MessageId(message_id), parse(TO), "阿里云短信测试", "SMS_154950909", {"code": "918273"})


def find(channel: AliyunChannel, message_id: str = "m-1") -> Trace:
    now = int(time.time() * 1000)
    return channel.find(Inquiry(MessageId(message_id), parse(TO), since=now - 1_000, until=now))


def settled(channel: AliyunChannel) -> Trace:
    deadline = time.monotonic() + 10
    while (found := find(channel)) == Known(None) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def test_a_message_that_nobody_sent_is_unknown(asking: AliyunChannel) -> None:
    assert find(asking) == Unknown()


def test_a_message_that_went_out_in_a_chunk_is_found_by_the_chunks_name(asking: AliyunChannel) -> None:
    other = Submission(MessageId("m-2"), parse("13800138001"), "阿里云短信测试", "SMS_154950909", {"code": "918273"})
    assert isinstance(asking.send_chunk("c-1", [submission(), other]), Sent)

    now = int(time.time() * 1000)
    inquiry = Inquiry(MessageId("m-1"), parse(TO), since=now - 1_000, until=now, chunks=("c-0", "c-1"))
    assert isinstance(asking.find(inquiry), Known)
    assert find(asking) == Unknown()  # by its own id alone nobody knows it


def test_a_message_waits_for_its_carrier(asking: AliyunChannel, sandbox: SandboxProcess) -> None:
    sandbox.fault(kind="receipt_delayed", seconds=60)
    assert isinstance(asking.send(submission()), Sent)

    assert find(asking) == Known(None)


@pytest.mark.parametrize(
    ("faults", "code", "reason"),
    [
        ([], "DELIVERED", None),
        ([{"kind": "receipt_lost"}], "DELIVERED", None),
        ([{"kind": "undeliverable", "err_code": "MOBLLE_TERMINAL_ERROR"}], "MOBLLE_TERMINAL_ERROR", "handset"),
    ],
)
def test_a_carriers_verdict_is_found(
    faults: list[dict[str, Any]], code: str, reason: str | None, asking: AliyunChannel, sandbox: SandboxProcess
) -> None:
    for fault in faults:
        sandbox.fault(**fault)
    began = time.time()
    asking.send(submission())

    found = settled(asking)

    assert isinstance(found, Known)
    assert found.receipt is not None
    assert (found.receipt.delivered, found.receipt.code, found.receipt.reason) == (reason is None, code, reason)
    assert abs((found.receipt.reported_at or 0) / 1000 - began) < 5


def test_another_message_to_the_number_is_not_taken_for_ours(asking: AliyunChannel) -> None:
    asking.send(submission("m-2"))

    assert find(asking) == Unknown()


def test_a_message_is_found_behind_fifty_newer_ones(asking: AliyunChannel) -> None:
    asking.send(submission())
    for n in range(60):
        asking.send(submission(f"newer-{n}"))

    assert isinstance(find(asking), Known)
    assert find(asking, "never-sent") == Unknown()


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [
        ({"kind": "reset", "accepted": True}, True),
        ({"kind": "reset"}, False),
        ({"kind": "hang", "seconds": 3, "accepted": True}, True),
        ({"kind": "hang", "seconds": 3}, False),
        ({"kind": "html", "accepted": True}, True),
        ({"kind": "unavailable"}, False),
    ],
)
def test_whether_an_uncertain_attempt_was_accepted_can_be_learnt(
    fault: dict[str, Any], accepted: bool, asking: AliyunChannel, sandbox: SandboxProcess
) -> None:
    sandbox.fault(**fault)
    assert isinstance(asking.send(submission()), Uncertain)

    assert isinstance(find(asking), Known if accepted else Unknown)


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ({"kind": "hang", "seconds": 3}, NoAnswer("read_timeout", Fault.PROVIDER)),
        ({"kind": "unavailable", "status": 500, "code": "InternalError"}, NoAnswer("server_error", Fault.PROVIDER)),
        ({"kind": "throttle", "retry_after_ms": 250}, NoAnswer("Throttling.User", Fault.THROTTLED)),
        ({"kind": "html"}, NoAnswer("unparsable_answer", Fault.PROVIDER)),
        ({"kind": "reset"}, NoAnswer("connection_reset", Fault.PROVIDER)),
        (
            {"kind": "business_error", "code": "isp.RAM_PERMISSION_DENY"},
            NoAnswer("isp.RAM_PERMISSION_DENY", Fault.CREDENTIALS),
        ),
    ],
)
@pytest.mark.parametrize("sent", [True, False])
def test_on_a_bad_day_nothing_is_learnt_and_on_the_next_it_is(
    sent: bool, fault: dict[str, Any], answer: NoAnswer, asking: AliyunChannel, sandbox: SandboxProcess
) -> None:
    if sent:
        asking.send(submission())
    sandbox.fault(**fault, match=ASKED)

    began = time.monotonic()
    assert find(asking) == answer
    assert time.monotonic() - began < 2
    sandbox.clear_faults()
    assert isinstance(find(asking), Known if sent else Unknown)
