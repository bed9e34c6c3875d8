"""What the provider pushes, as its pages show it and as nobody should."""

import json
from typing import Any

import pytest

from smsgate.channels.pushed import UnusablePush
from smsgate.channels.tencent.receipts import parse_replies, parse_reports
from smsgate.message import MessageId

REPORT = {
    "user_receive_time": "2015-10-17 08:03:04",
    "nationcode": "86",
    "mobile": "13800138000",
    "report_status": "SUCCESS",
    "errmsg": "DELIVRD",
    "description": "用户短信送达成功",
    "sid": "2640:169548",
}
REPLY = {
    "extend": "12",
    "mobile": "13800138000",
    "nationcode": "86",
    "sign": "短信签名",
    "text": "TD",
    "time": 1457336869,
}


def pushed(*entries: Any) -> bytes:
    return json.dumps(entries).encode()


def test_a_report_is_read_as_the_providers_page_shows_it() -> None:
    [report] = parse_reports(pushed(REPORT)).entries

    assert (report.provider_id, report.phone, report.delivered) == ("2640:169548", "+8613800138000", True)
    assert (report.code, report.reason, report.message_id) == ("DELIVRD", None, None)
    assert report.reported_at == 1_445_040_184_000
    receipt = report.receipt(MessageId("m-1"))
    assert (receipt.message_id, receipt.provider_id, receipt.segments) == ("m-1", "2640:169548", None)


def test_a_failure_keeps_the_raw_code_beside_our_reason() -> None:
    [report] = parse_reports(pushed({**REPORT, "report_status": "FAIL", "errmsg": "MK:0001"})).entries

    assert (report.delivered, report.code, report.reason) == (False, "MK:0001", "not_in_service")


def test_our_id_is_read_where_the_account_gets_it_back() -> None:
    parsed = parse_reports(pushed({**REPORT, "ext": "m-1"}, {**REPORT, "ext": "somebody else's {}"}))

    assert [report.message_id for report in parsed.entries] == ["m-1", None]


def test_numbers_come_with_their_country_apart_or_not_at_all() -> None:
    abroad = {**REPORT, "nationcode": "852", "mobile": "61234567"}
    whole = {**REPORT, "nationcode": "", "mobile": "85261234567"}
    bare = {**REPORT, "nationcode": ""}

    phones = [report.phone for report in parse_reports(pushed(abroad, whole, bare)).entries]

    assert phones == ["+85261234567", "+85261234567", "+8613800138000"]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("text", "not_an_object"),
        ({**REPORT, "sid": ""}, "no_provider_id"),
        ({**REPORT, "sid": None}, "no_provider_id"),
        ({**REPORT, "report_status": "MAYBE"}, "no_verdict"),
        ({**REPORT, "mobile": "x"}, "bad_phone_number"),
        ({**REPORT, "mobile": None}, "bad_phone_number"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_and_fails_no_other(entry: Any, why: str) -> None:
    parsed = parse_reports(pushed(entry, REPORT))

    assert (len(parsed.entries), parsed.unusable) == (1, (why,))


def test_a_reply_is_one_object() -> None:
    [reply] = parse_replies(json.dumps(REPLY).encode()).entries

    assert (reply.phone, reply.content, reply.destination) == ("+8613800138000", "TD", "12")
    assert reply.sent_at == 1_457_336_869_000


@pytest.mark.parametrize("body", [b"", b"\xff", b"7", b"[" * 100_000])
def test_what_is_no_push_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(UnusablePush):
        parse_reports(body)
