"""What recipients are counted by."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from smsgate.message import Lane
from smsgate.phone import Phone
from smsgate.routing.caps import ALIYUN_CAPS, SLACK, RecipientLimit, caps_of
from smsgate.routing.traits import Traits

CODE = Traits(Lane.OTP, "SMS_1", Phone("+8613800138000"), "CN", None)
NOTICE = replace(CODE, lane=Lane.NOTICE)
DAY = 86_400


def _names(traits: Traits, sign: str = "S") -> list[str]:
    return [name for name, _ in caps_of(ALIYUN_CAPS, traits, sign)]


def test_a_code_is_counted_by_its_sign_and_over_all_signs() -> None:
    windows = [windows for _, windows in caps_of(ALIYUN_CAPS, CODE, "S")]
    assert windows == [((60 + SLACK, 1), (3600 + SLACK, 5), (DAY + SLACK, 10)), ((DAY + SLACK, 40),)]
    first, second = _names(CODE, "A"), _names(replace(CODE, template="SMS_2"), "B")
    assert first[0] != second[0]
    assert first[1] == second[1]


def test_a_notice_is_counted_by_sign_and_template_and_with_bulk() -> None:
    assert [windows for _, windows in caps_of(ALIYUN_CAPS, NOTICE, "S")] == [((DAY + SLACK, 50),)]
    assert _names(NOTICE) == _names(replace(NOTICE, lane=Lane.BULK))
    assert _names(NOTICE) != _names(replace(NOTICE, template="SMS_2"))
    assert _names(NOTICE) != _names(NOTICE, "T")


def test_numbers_are_counted_apart_and_show_in_no_name() -> None:
    other = replace(CODE, phone=Phone("+8613800138001"))
    assert not {*_names(CODE)} & {*_names(other)}
    assert not any("13800138" in name for name in _names(CODE))


def test_numbers_abroad_are_not_counted() -> None:
    assert caps_of(ALIYUN_CAPS, replace(CODE, phone=Phone("+85261234567"), country="HK"), "S") == ()


def test_two_limits_of_what_counts_together_both_hold() -> None:
    limits = [RecipientLimit(allow=("1/second",)), RecipientLimit(allow=("100/30 days",))]
    assert [windows for _, windows in caps_of(limits, CODE, "S")] == [((1 + SLACK, 1), (30 * DAY + SLACK, 100))]


@pytest.mark.parametrize("allowance", ["0/day", "1/fortnight", "-1/day", "1 /day", "", "1/0 days", "5/hour\n"])
def test_an_allowance_that_cannot_be_read_is_refused_where_it_is_declared(allowance: str) -> None:
    with pytest.raises(ValidationError):
        RecipientLimit(allow=(allowance,))


def test_a_limit_is_declared_as_a_table_of_the_file() -> None:
    limit = RecipientLimit.model_validate({"lanes": ["otp"], "per": "sign", "allow": ["1/minute", "5/hour"]})
    assert limit == RecipientLimit(lanes=frozenset({Lane.OTP}), per="sign", allow=("1/minute", "5/hour"))
