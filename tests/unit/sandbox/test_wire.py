"""Parameters are read wherever an SDK puts them."""

import pytest
from multidict import CIMultiDict

from smsgate.sandbox import wire
from smsgate.sandbox.answers import Rejection


def test_parameters_come_from_the_query_the_form_and_a_json_body() -> None:
    form = CIMultiDict({"content-type": "application/x-www-form-urlencoded; charset=utf-8"})
    json = CIMultiDict({"Content-Type": "application/json"})
    assert wire.read("POST", "/?A=1+2&B=%2B", form, b"C=%E4%BA%91").params == {"A": "1 2", "B": "+", "C": "云"}
    assert wire.read("POST", "/?A=1", json, b'{"B": "x", "C": ["y"], "D": 2}').params == {
        "A": "1",
        "B": "x",
        "C": '["y"]',
        "D": "2",
    }


def test_action_and_version_come_from_headers_or_from_parameters() -> None:
    headers = CIMultiDict({"X-Acs-Action": "SendSms", "x-acs-version": "2017-05-25"})
    assert wire.read("POST", "/", headers, b"").action == "SendSms"
    assert wire.read("GET", "/?Action=SendSms&Version=1", CIMultiDict[str](), b"").version == "1"


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"[1]"),
        ("application/json", b"[" * 100_000),
        ("application/x-www-form-urlencoded", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 2000)),
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused(media: str, body: bytes) -> None:
    with pytest.raises(Rejection, match=r"InvalidParameter\.Format"):
        wire.read("POST", "/", CIMultiDict({"Content-Type": media}), body)
