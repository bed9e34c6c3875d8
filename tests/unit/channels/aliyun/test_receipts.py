import json
from typing import Any

import pytest

from smsgate.channels.aliyun.receipts import parse_replies, parse_reports
from smsgate.channels.pushed import Parsed
from smsgate.receipt import Receipt, Reply

ID = "018f2b6c-7a1e-7c3d-9f00-0123456789ab"
REPORT = {
    "phone_number": "13900000001",
    "send_time": "2026-01-02 08:00:00",
    "report_time": "2026-01-02 08:00:05",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "1",
    "biz_id": "932702304080415357^0",
    "out_id": ID,
}
REPLY = {
    "phone_number": "13900000001",
    "content": "TD 退订",
    "send_time": "2026-01-02 08:00:05",
    "dest_code": "10690000",
    "sequence_id": "1234567890",
}


def pushed(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def report(**changes: Any) -> Parsed[Receipt]:
    return parse_reports(pushed([REPORT | changes]))


def without(field: str) -> Parsed[Receipt]:
    return parse_reports(pushed([{name: value for name, value in REPORT.items() if name != field}]))


def test_a_report_of_a_delivery_becomes_a_receipt() -> None:
    [receipt] = report().entries

    assert receipt.message_id == ID
    assert receipt.provider_id == "932702304080415357^0"
    assert receipt.phone == "+8613900000001"
    assert (receipt.delivered, receipt.code, receipt.reason) == (True, "DELIVERED", None)
    assert receipt.segments == 1


def test_a_time_of_a_report_is_shanghais() -> None:
    [receipt] = report().entries

    assert receipt.reported_at == 1767312005000


@pytest.mark.parametrize("time", [None, "", "yesterday", "2026-02-30 00:00:00", 1767312005, "2026-01-02T08:00:05Z"])
def test_a_time_that_cannot_be_read_is_left_out(time: object) -> None:
    [receipt] = report(report_time=time).entries

    assert receipt.reported_at is None


def test_a_report_of_a_failure_keeps_the_raw_code_beside_our_reason() -> None:
    [receipt] = report(success=False, err_code="MK:0001").entries

    assert (receipt.delivered, receipt.code, receipt.reason) == (False, "MK:0001", "not_in_service")


@pytest.mark.parametrize(("success", "delivered"), [("true", True), ("TRUE ", True), ("false", False), (False, False)])
def test_success_is_a_boolean_or_its_name(success: object, delivered: bool) -> None:
    [receipt] = report(success=success).entries

    assert receipt.delivered is delivered


def test_success_decides_where_the_code_says_otherwise() -> None:
    [receipt] = report(success=False, err_code="DELIVERED").entries

    assert (receipt.delivered, receipt.reason) == (False, "unknown")


@pytest.mark.parametrize(("code", "delivered"), [("DELIVERED", True), ("EXPIRED", False)])
def test_the_code_decides_where_success_is_missing(code: str, delivered: bool) -> None:
    [receipt] = report(success=None, err_code=code).entries

    assert receipt.delivered is delivered


def test_a_single_object_is_taken_for_an_array_of_one() -> None:
    assert parse_reports(pushed(REPORT)) == report()


def test_fields_that_we_do_not_know_are_passed_over() -> None:
    assert report(sign_name="x", extra={"a": [1]}) == report()


def test_an_unusable_report_is_named_and_does_not_fail_the_others() -> None:
    parsed = parse_reports(pushed([REPORT | {"out_id": ""}, REPORT, 7, REPORT | {"phone_number": "139****0001"}]))

    assert len(parsed.entries) == 1
    assert parsed.unusable == ("no_message_id", "not_an_object", "bad_phone_number")


@pytest.mark.parametrize("out_id", [None, "", "a b", "x" * 65, 12, "номер", f"{ID}\n"])
def test_an_out_id_that_is_no_message_id_makes_the_report_unusable(out_id: object) -> None:
    assert report(out_id=out_id).unusable == ("no_message_id",)


def test_a_report_without_verdict_is_unusable() -> None:
    assert report(success="perhaps", err_code=None).unusable == ("no_verdict",)


def test_a_report_that_no_carrier_has_confirmed_is_not_final() -> None:
    assert report(err_code="REQUEST_SUCCESS").unusable == ("not_final",)


def test_a_closed_channel_is_final() -> None:
    [receipt] = report(success=False, err_code="IS_CLOSE").entries

    assert receipt.reason == "channel_closed"


@pytest.mark.parametrize("field", ["send_time", "report_time", "err_msg", "sms_size", "biz_id", "err_code"])
def test_a_report_can_do_without(field: str) -> None:
    assert len(without(field).entries) == 1


@pytest.mark.parametrize(
    ("size", "segments"), [("3", 3), (2, 2), ("0", None), ("-1", None), ("9" * 5000, None), (True, None)]
)
def test_segments_are_a_small_number_or_unknown(size: object, segments: int | None) -> None:
    [receipt] = report(sms_size=size).entries

    assert receipt.segments == segments


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        ("13900000001", "+8613900000001"),
        ("8613900000001", "+8613900000001"),
        ("+8613900000001", "+8613900000001"),
        ("85261234567", "+85261234567"),
        ("12025550123", "+12025550123"),
        (13900000001, "+8613900000001"),
    ],
)
def test_a_number_is_read_as_the_provider_writes_it(written: object, phone: str) -> None:
    [receipt] = report(phone_number=written).entries

    assert receipt.phone == phone


def test_a_reply_is_read_with_its_destination_and_sequence() -> None:
    [reply] = parse_replies(pushed([REPLY])).entries

    assert reply == Reply("+8613900000001", "TD 退订", "10690000", 1767312005000, "1234567890")  # type: ignore[arg-type]


def test_an_older_reply_has_a_numeric_sequence() -> None:
    [reply] = parse_replies(pushed([REPLY | {"sequence_id": 1234567890, "sign_name": "阿里云"}])).entries

    assert reply.sequence == "1234567890"


def test_a_lone_surrogate_in_a_reply_is_replaced_so_that_it_can_be_stored() -> None:
    [reply] = parse_replies(b'{"phone_number": "13900000001", "content": "a\\ud800b"}').entries

    assert reply.content == "a?b"
