"""Asking for a message, the real SDK and real sockets: what is asked, and what each answer says."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from smsgate.channels.aliyun import AliyunChannel, AliyunConfig
from smsgate.channels.channel import Channel, Inquiry
from smsgate.message import MessageId
from smsgate.outcome import Fault
from smsgate.phone import parse
from smsgate.trace import Known, NoAnswer, Unknown

# Noon of yesterday in Shanghai: whatever the hour now, there is one day to ask about.
NOON = (int(time.time() + 28_800) // 86_400 * 86_400 - 72_000) * 1000
UNPARSABLE = NoAnswer("unparsable_answer", Fault.PROVIDER)
OURS = {
    "PhoneNum": "139****0001",
    "SendStatus": 3,
    "ErrCode": "DELIVERED",
    "TemplateCode": "SMS_154950909",
    "Content": "您的验证码为：918273",
    "SendDate": "2026-01-02 08:00:00",
    "ReceiveDate": "2026-01-02 08:00:05",
    "OutId": "m-1",
}
OTHER = OURS | {"OutId": "m-2"}


@pytest.fixture
def inquiry() -> Inquiry:
    return Inquiry(MessageId("m-1"), parse("13900000001"), NOON, NOON)


def listing(*entries: object, total: object = None) -> dict[str, object]:
    count = str(len(entries)) if total is None else total
    return {"Code": "OK", "RequestId": "r", "TotalCount": count, "SmsSendDetailDTOs": {"SmsSendDetailDTO": entries}}


def answering(scene: Any, *replies: Any) -> None:
    """Give each answer once, in turn."""
    rest = list(replies)
    scene.answer = lambda exchange, _: exchange.reply(rest.pop(0))


def test_the_number_is_asked_about_by_the_day_fifty_entries_at_a_time(
    channel: Channel, scene: Any, inquiry: Inquiry
) -> None:
    answering(scene, listing())

    assert channel.find(inquiry) == Unknown()
    [asked] = scene.asked
    day = time.strftime("%Y%m%d", time.gmtime(NOON / 1000))
    assert asked.query == {"PhoneNumber": "13900000001", "SendDate": day, "PageSize": "50", "CurrentPage": "1"}
    assert asked.headers["x-acs-action"] == "QuerySendDetails"


def test_a_number_abroad_is_asked_about_with_its_country_code(channel: Channel, scene: Any, inquiry: Inquiry) -> None:
    answering(scene, listing())

    channel.find(dataclasses.replace(inquiry, phone=parse("+85261234567")))

    assert scene.asked[0].query["PhoneNumber"] == "85261234567"


def test_a_delivery_is_known_with_its_receipt(channel: Channel, scene: Any, inquiry: Inquiry) -> None:
    answering(scene, listing(OTHER, OURS))

    found = channel.find(inquiry)

    assert isinstance(found, Known)
    assert found.receipt is not None
    assert (found.receipt.message_id, found.receipt.phone, found.receipt.provider_id) == ("m-1", inquiry.phone, "")
    assert (found.receipt.delivered, found.receipt.code, found.receipt.reason) == (True, "DELIVERED", None)
    assert found.receipt.reported_at == 1767312005000
    assert "918273" not in repr(found)


@pytest.mark.parametrize("status", [2, "2"])
def test_a_failure_is_known_with_the_raw_code_and_our_reason(
    status: object, channel: Channel, scene: Any, inquiry: Inquiry
) -> None:
    answering(scene, listing(OURS | {"SendStatus": status, "ErrCode": "MK:0001", "ReceiveDate": None}))

    found = channel.find(inquiry)

    assert isinstance(found, Known)
    assert found.receipt is not None
    assert (found.receipt.delivered, found.receipt.code, found.receipt.reason) == (False, "MK:0001", "not_in_service")
    assert found.receipt.reported_at is None


@pytest.mark.parametrize(
    "change",
    [
        {"SendStatus": 1, "ErrCode": None},
        {"SendStatus": 2, "ErrCode": "REQUEST_SUCCESS"},
        {"SendStatus": 3, "ErrCode": "REQUEST_SUCCESS"},
        {"SendStatus": 7},
        {"SendStatus": None},
        {"SendStatus": {"a": 1}},
    ],
)
def test_an_entry_of_ours_without_a_final_word_is_known_and_waits(
    change: dict[str, object], channel: Channel, scene: Any, inquiry: Inquiry
) -> None:
    answering(scene, listing(OURS | change))

    assert channel.find(inquiry) == Known(None)


@pytest.mark.parametrize("out_id", ["m-2", "M-1", "m-10", "", None, 12])
def test_an_entry_under_another_out_id_is_passed_over(
    out_id: object, channel: Channel, scene: Any, inquiry: Inquiry
) -> None:
    answering(scene, listing(OURS | {"OutId": out_id}))

    assert channel.find(inquiry) == Unknown()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>502</html>",
        b"",
        b"null",
        b"[]",
        {},
        {"Code": "OK"},
        {"Code": "OK", "TotalCount": "none"},
        {"Code": "OK", "TotalCount": ""},
        {"Code": "OK", "TotalCount": "-1"},
        {"Code": "OK", "TotalCount": True},
        {"Code": "OK", "TotalCount": "²"},
        {"Code": "OK", "TotalCount": "9" * 40},
        {"TotalCount": "0"},
        {"Code": 200, "TotalCount": "0"},
        {"Code": "OK", "TotalCount": "0", "SmsSendDetailDTOs": "none"},
        {"Code": "OK", "TotalCount": "0", "SmsSendDetailDTOs": {"SmsSendDetailDTO": "none"}},
        {"Code": "OK", "TotalCount": "0", "SmsSendDetailDTOs": {"SmsSendDetailDTO": 7}},
        {"Code": "OK", "TotalCount": "1", "SmsSendDetailDTOs": {"SmsSendDetailDTO": OURS}},
        listing(None),
        listing({}),
        listing("m-1"),
        listing([]),
        listing(OTHER, OURS | {"OutId": ["m-1"]}),
        listing(OURS | {"OutId": True}),
    ],
)
def test_an_answer_that_cannot_be_read_is_none(body: object, channel: Channel, scene: Any, inquiry: Inquiry) -> None:
    answering(scene, body)

    assert channel.find(inquiry) == UNPARSABLE


@pytest.mark.parametrize("body", [{"Code": "OK", "TotalCount": "0"}, listing(total=0)])
def test_an_empty_list_may_be_left_out_and_its_count_be_a_number(
    body: object, channel: Channel, scene: Any, inquiry: Inquiry
) -> None:
    answering(scene, body)

    assert channel.find(inquiry) == Unknown()


@pytest.mark.parametrize("answer", [listing(OTHER, total="2"), listing(total="1"), listing(OTHER, OTHER, total="1")])
def test_a_list_that_does_not_add_up_is_no_proof(
    answer: object, channel: Channel, scene: Any, inquiry: Inquiry
) -> None:
    answering(scene, answer)

    assert channel.find(inquiry) == NoAnswer("contradictory_answer", Fault.PROVIDER)


def test_the_pages_are_turned_until_all_entries_have_been_seen(channel: Channel, scene: Any, inquiry: Inquiry) -> None:
    answering(
        scene, listing(*[OTHER] * 50, total="101"), listing(*[OTHER] * 50, total="101"), listing(OURS, total="101")
    )

    assert isinstance(channel.find(inquiry), Known)
    assert [asked.query["CurrentPage"] for asked in scene.asked] == ["1", "2", "3"]


def test_a_full_last_page_is_the_last(channel: Channel, scene: Any, inquiry: Inquiry) -> None:
    answering(scene, listing(*[OTHER] * 50, total="50"))

    assert channel.find(inquiry) == Unknown()


def test_a_list_without_end_is_given_up_and_proves_nothing(channel: Channel, scene: Any, inquiry: Inquiry) -> None:
    answering(scene, *[listing(*[OTHER] * 50, total="99999")] * 30)

    assert channel.find(inquiry) == NoAnswer("too_many_messages", Fault.RECIPIENT)
    assert len(scene.asked) == 20


@pytest.mark.parametrize("status", [1, 2])
def test_what_was_seen_before_the_answers_failed_is_known_and_not_final(
    status: int, channel: Channel, scene: Any, inquiry: Inquiry
) -> None:
    answering(scene, listing(OURS | {"SendStatus": status}, *[OTHER] * 49, total="51"), b"<html>")

    assert channel.find(inquiry) == Known(None)


def test_both_days_of_an_attempt_at_midnight_are_asked_about(channel: Channel, scene: Any, inquiry: Inquiry) -> None:
    midnight = NOON + 43_200_000
    answering(scene, listing(), listing(OURS))

    assert isinstance(channel.find(dataclasses.replace(inquiry, since=midnight - 1, until=midnight - 1)), Known)
    assert len({asked.query["SendDate"] for asked in scene.asked}) == 2


def test_a_day_that_cannot_be_learnt_makes_the_other_no_proof(channel: Channel, scene: Any, inquiry: Inquiry) -> None:
    answering(scene, listing(), b"<html>")

    assert channel.find(dataclasses.replace(inquiry, until=NOON + 43_200_000)) == UNPARSABLE


def test_a_message_older_than_the_providers_memory_is_not_asked_about(
    channel: Channel, scene: Any, inquiry: Inquiry
) -> None:
    old = dataclasses.replace(inquiry, since=NOON - 30 * 86_400_000)

    assert channel.find(old) == NoAnswer("too_old", Fault.MESSAGE)
    assert scene.asked == []


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("isp.RAM_PERMISSION_DENY", Fault.CREDENTIALS),
        ("isv.ACCOUNT_NOT_EXISTS", Fault.ACCOUNT),
        ("isp.SYSTEM_ERROR", Fault.PROVIDER),
        ("isv.MOBILE_NUMBER_ILLEGAL", Fault.MESSAGE),
        ("isv.BUSINESS_LIMIT_CONTROL", Fault.RECIPIENT),
    ],
)
def test_a_refusal_to_tell_says_whose_fault_it_is(
    code: str, fault: Fault, channel: Channel, scene: Any, inquiry: Inquiry
) -> None:
    answering(scene, {"Code": code, "Message": "13900000001"})

    assert channel.find(inquiry) == NoAnswer(code, fault)


def test_a_refusal_that_nobody_foresaw_is_logged_as_an_error_by_its_code_alone(
    channel: Channel, scene: Any, inquiry: Inquiry
) -> None:
    answering(scene, {"Code": "isv.NEVER_HEARD_OF", "Message": "13900000001 918273"})

    with capture_logs() as logs:
        assert channel.find(inquiry) == NoAnswer("isv.NEVER_HEARD_OF", Fault.UNKNOWN)

    assert logs == [{"event": "provider_code_unknown", "log_level": "error", "code": "isv.NEVER_HEARD_OF"}]


def test_nobody_listening_is_no_answer(inquiry: Inquiry, free_port: int) -> None:
    channel = AliyunChannel(AliyunConfig(f"127.0.0.1:{free_port}", "http"))

    assert channel.find(inquiry) == NoAnswer("connect_refused", Fault.PROVIDER)


def test_a_time_limit_in_the_midst_of_the_question_is_no_answer(
    channel: Channel, scene: Any, inquiry: Inquiry, interrupting: Callable[[type[Exception]], None]
) -> None:
    class SoftTimeLimitExceeded(Exception):
        """Celery's, by its name."""

    def strike(*_: object) -> None:
        interrupting(SoftTimeLimitExceeded)
        scene.over.wait(10)

    scene.answer = strike

    assert channel.find(inquiry) == NoAnswer("time_limit", Fault.PROVIDER)
