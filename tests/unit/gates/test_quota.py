"""Limits as they are declared: what is understood, what is refused, and what comes under which."""

import tomllib
from datetime import datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from smsgate.gates.quota import SHANGHAI, Algorithm, Allowance, Asked, Counts, Limit, Limits, Per, Table, allowance
from smsgate.message import Lane

ASKED = Asked("shop", Lane.OTP, "SMS_1", "Sign")


def _limit(**fields: Any) -> Limit:
    return Limit.model_validate({"name": "n", "allow": "5/hour", **fields})


def _wrong(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        _limit(**fields)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in caught.value.errors())


def _at(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=SHANGHAI).timestamp() * 1000)  # type: ignore[misc]


def test_a_limit_is_read_as_the_file_declares_it() -> None:
    text = """
    [[limits]]
    name = "codes-a-number"
    per = ["recipient"]
    lanes = ["otp"]
    allow = "5/hour"
    algorithm = "sliding_log"
    counts = "messages"
    [[limits]]
    name = "uploads"
    clients = ["shop-*"]
    allow = "100/10seconds"
    algorithm = "gcra"
    counts = "requests"
    """
    codes, uploads = TypeAdapter(Limits).validate_python(tomllib.loads(text)["limits"])
    assert (codes.per, codes.lanes, codes.algorithm) == ({Per.RECIPIENT}, {Lane.OTP}, Algorithm.SLIDING_LOG)
    assert (uploads.per, uploads.lanes, uploads.counts) == (frozenset(), frozenset(Lane), Counts.REQUESTS)
    assert (str(codes.allow), str(uploads.allow), uploads.allow.seconds) == ("5/hour", "100/10seconds", 10)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1/second", Allowance(1, 1, "second")),
        ("100/10seconds", Allowance(100, 10, "second")),
        (" 5 / 2 hours ", Allowance(5, 2, "hour")),
        ("100000/day", Allowance(100_000, 1, "day")),
        ("3/12months", Allowance(3, 12, "month")),
    ],
)
def test_an_allowance_is_understood(written: str, read: Allowance) -> None:
    assert allowance(written) == read
    assert allowance(str(read)) == read


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "is no allowance"),
        (5, "is no allowance"),
        ("5 per hour", "is no allowance"),
        ("-5/hour", "is no allowance"),
        ("5.5/hour", "is no allowance"),
        ("5/week", "knows the units second, minute, hour, day, month"),
        ("0/hour", "at least 1"),
        ("2000000000/day", "at most 1000000000"),
        ("5/0hours", "at least a second"),
        ("5/367days", "at most 12 months"),
    ],
)
def test_an_allowance_that_is_none_is_refused_with_its_field_and_the_fix(written: object, told: str) -> None:
    wrong = _wrong(allow=written)
    assert wrong.startswith("allow: ")
    assert told in wrong
    assert "5/hour" in wrong


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "a b"}, "name: "),
        ({"per": ["number"]}, "per.0: "),
        ({"lanes": ["sms"]}, "lanes.0: "),
        ({"algorithm": "token_bucket"}, "algorithm: "),
        ({"count": "messages"}, "count: "),
        ({"counts": "requests", "per": ["recipient"]}, "a request may have many recipients"),
        ({"allow": "10001/hour"}, "choose fixed_window"),
    ],
)
def test_a_slip_in_a_limit_is_refused(fields: dict[str, Any], told: str) -> None:
    assert told in _wrong(**fields)


def test_two_limits_of_one_name_are_refused() -> None:
    twice = [{"name": "n", "allow": "5/hour"}, {"name": "n", "allow": "10/day"}]
    with pytest.raises(ValidationError, match="n is given twice"):
        TypeAdapter(Limits).validate_python(twice)


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({}, True),
        ({"lanes": ["otp", "notice"]}, True),
        ({"lanes": ["bulk"]}, False),
        ({"clients": ["sho?"]}, True),
        ({"clients": ["Shop", "other"]}, False),
        ({"templates": ["OTP_*", "SMS_*"]}, True),
        ({"templates": ["SMS_2*"]}, False),
    ],
)
def test_a_limit_holds_for_those_it_names(fields: dict[str, Any], fits: bool) -> None:
    assert (Table([_limit(**fields)]).fitting(ASKED) != ()) is fits


def test_budgets_come_last_and_what_frees_soonest_first() -> None:
    declared = [
        _limit(name="day", allow="100/day", algorithm="fixed_window"),
        _limit(name="hour"),
        _limit(name="log", allow="100/day"),
        _limit(name="minute", allow="1/minute"),
    ]
    assert [limit.name for limit in Table(declared).fitting(ASKED)] == ["minute", "hour", "log", "day"]


def test_a_limit_counts_for_what_it_is_per_and_nothing_else() -> None:
    assert ASKED.subject(_limit(per=[]), "+8613800138000") == ()
    assert ASKED.subject(_limit(per=["sign", "recipient"]), "+8613800138000") == ("+8613800138000", "Sign")
    assert ASKED.subject(_limit(per=["client", "template", "lane"])) == ("shop", "SMS_1", "otp")


@pytest.mark.parametrize(
    ("allow", "now", "start", "end"),
    [
        # 16:00 UTC is midnight in Shanghai, where the provider's day begins.
        ("1/day", _at(2026, 11, 24, 0, 0), _at(2026, 11, 24), _at(2026, 11, 25)),
        ("1/day", _at(2026, 11, 24, 23, 59), _at(2026, 11, 24), _at(2026, 11, 25)),
        ("1/month", _at(2026, 12, 31, 23, 59), _at(2026, 12, 1), _at(2027, 1, 1)),
        ("1/month", _at(2028, 2, 29, 12), _at(2028, 2, 1), _at(2028, 3, 1)),
        ("1/3months", _at(2026, 11, 24), _at(2026, 10, 1), _at(2027, 1, 1)),
        ("1/hour", _at(2026, 11, 24, 13, 30), _at(2026, 11, 24, 13), _at(2026, 11, 24, 14)),
        ("1/12hours", _at(2026, 11, 24, 13, 30), _at(2026, 11, 24, 12), _at(2026, 11, 25)),
        ("1/10seconds", _at(2026, 11, 24, 13, 30, 19), _at(2026, 11, 24, 13, 30, 10), _at(2026, 11, 24, 13, 30, 20)),
    ],
)
def test_a_window_is_the_calendars_of_shanghai(allow: str, now: int, start: int, end: int) -> None:
    assert allowance(allow).window(now) == (start, end)
