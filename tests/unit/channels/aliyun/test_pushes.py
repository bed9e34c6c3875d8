import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgate.channels.aliyun.receipts import parse_replies, parse_reports
from smsgate.channels.pushed import UnusablePush

REPORT = {
    "phone_number": "13900000001",
    "send_time": "2026-01-02 08:00:00",
    "report_time": "2026-01-02 08:00:05",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "1",
    "biz_id": "932702304080415357^0",
    "out_id": "m-1",
}
REPLY = {
    "phone_number": "13900000001",
    "content": "TD 退订",
    "send_time": "2026-01-02 08:00:05",
    "dest_code": "10690000",
    "sequence_id": "1234567890",
}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"13900000001",
        b"null",
        b'"x"',
        b"{",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"out_id=1&success=true",
        b"1" * 5000,
    ],
)
def test_a_body_that_is_no_push_is_refused_without_repeating_it(body: bytes) -> None:
    with pytest.raises(UnusablePush) as refusal:
        parse_reports(body)

    assert "13900000001" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
_LIKE_PUSHES = st.lists(
    st.fixed_dictionaries({}, optional={name: _JSON | st.just(value) for name, value in (REPORT | REPLY).items()})
    | _JSON,
    max_size=4,
)


@given(_JSON | _LIKE_PUSHES)
def test_no_json_whatever_makes_the_parsers_fail_otherwise(value: Any) -> None:
    for parse in (parse_reports, parse_replies):
        body = json.dumps(value).encode()
        try:
            parsed = parse(body)
        except UnusablePush:
            assert not isinstance(value, list | dict)
        else:
            entries = value if isinstance(value, list) else [value]
            assert len(parsed.entries) + len(parsed.unusable) == len(entries)
            repr(parsed).encode()


@given(st.binary())
def test_no_bytes_whatever_make_the_parsers_fail_otherwise(body: bytes) -> None:
    for parse in (parse_reports, parse_replies):
        try:
            parse(body)
        except UnusablePush:
            continue
