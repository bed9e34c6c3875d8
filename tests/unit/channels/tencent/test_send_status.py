"""What a list of statuses says of one message; never that the provider does not have it."""

from typing import Any

import pytest

from smsgate.channels.channel import Inquiry
from smsgate.channels.tencent.send_status import trace_in
from smsgate.message import MessageId
from smsgate.outcome import Fault
from smsgate.phone import parse
from smsgate.trace import Known, NoAnswer

INQUIRY = Inquiry(MessageId("m-1"), parse("13800138000"), 0, 0)
STATUS = {
    "UserReceiveTime": 1_767_225_605,
    "CountryCode": "86",
    "SubscriberNumber": "13800138000",
    "PhoneNumber": "+8613800138000",
    "SerialNo": "2640:1",
    "ReportStatus": "SUCCESS",
    "Description": "DELIVRD",
    "SessionContext": "m-1",
}
OTHERS = STATUS | {"SessionContext": "m-2"}


def listing(*statuses: Any) -> dict[str, Any]:
    return {"PullSmsSendStatusSet": list(statuses), "RequestId": "r"}


def test_a_status_with_our_id_is_our_message() -> None:
    trace = trace_in(listing(OTHERS, STATUS), INQUIRY)

    assert isinstance(trace, Known)
    assert trace.receipt is not None
    assert (trace.receipt.provider_id, trace.receipt.delivered, trace.receipt.code) == ("2640:1", True, "DELIVRD")
    assert trace.receipt.reported_at == 1_767_225_605_000


def test_of_copies_one_that_arrived_decides() -> None:
    failed = STATUS | {"ReportStatus": "FAIL", "Description": "UNDELIV"}

    trace = trace_in(listing(failed, STATUS), INQUIRY)

    assert isinstance(trace, Known)
    assert trace.receipt is not None
    assert trace.receipt.delivered


def test_a_status_that_nobody_has_told_us_of_is_no_verdict() -> None:
    assert trace_in(listing(STATUS | {"ReportStatus": "PENDING"}), INQUIRY) == Known(None)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (listing(), "not_listed"),
        ({"PullSmsSendStatusSet": None}, "not_listed"),
        (listing(OTHERS), "not_listed"),
        (listing(STATUS | {"SessionContext": ""}), "session_context_not_listed"),
        (listing(*[OTHERS] * 100), "too_many_messages"),
    ],
)
def test_a_list_without_our_id_proves_nothing(body: dict[str, Any], why: str) -> None:
    assert trace_in(body, INQUIRY) == NoAnswer(why, Fault.MESSAGE)


@pytest.mark.parametrize("body", [{"PullSmsSendStatusSet": {}}, {"PullSmsSendStatusSet": ["x"]}])
def test_what_is_no_list_is_no_answer(body: dict[str, Any]) -> None:
    assert trace_in(body, INQUIRY) == NoAnswer("unparsable_answer", Fault.PROVIDER)
