"""Rolling windows of what one number may be sent."""

import pytest

from smsgate.sandbox.answers import Rejection
from smsgate.sandbox.catalogue import Kind
from smsgate.sandbox.flow_control import FlowControl

PHONE = "13800138000"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def admit(control: FlowControl, now: float, kind: Kind = Kind.OTP, sign: str = "S", template: str = "T") -> None:
    control.admit(kind, template, [(sign, PHONE)], now)


def refusal(control: FlowControl, now: float, kind: Kind = Kind.OTP, sign: str = "S") -> str:
    with pytest.raises(Rejection) as refused:
        admit(control, now, kind, sign)
    assert refused.value.code == "isv.BUSINESS_LIMIT_CONTROL"
    return refused.value.message


def test_a_one_time_password_goes_out_once_a_minute() -> None:
    control = FlowControl()
    admit(control, 0)
    assert refusal(control, MINUTE - 0.1) == "触发分钟级流控Permits:1"
    admit(control, MINUTE)


def test_a_one_time_password_goes_out_five_times_an_hour() -> None:
    control = FlowControl()
    for number in range(5):
        admit(control, number * MINUTE)
    assert refusal(control, 5 * MINUTE) == "触发小时级流控Permits:5"
    assert refusal(control, HOUR - 0.1) == "触发小时级流控Permits:5"
    admit(control, HOUR)


def test_a_one_time_password_goes_out_ten_times_in_any_24_hours() -> None:
    control = FlowControl()
    for number in range(10):
        admit(control, number * HOUR)
    assert refusal(control, 23 * HOUR) == "触发天级流控Permits:10"
    admit(control, DAY)
    assert refusal(control, DAY + MINUTE) == "触发天级流控Permits:10"


def test_every_sign_has_its_own_permits_up_to_forty_a_day_for_the_number() -> None:
    control = FlowControl()
    for number in range(40):
        admit(control, number, sign=f"S{number}")
    assert refusal(control, 41, sign="another") == "触发天级流控Permits:40"


def test_a_notice_goes_out_fifty_times_a_day_for_each_template() -> None:
    control = FlowControl()
    for number in range(50):
        admit(control, number, Kind.NOTICE)
    assert refusal(control, 50, Kind.NOTICE) == "触发天级流控Permits:50"
    admit(control, 50, Kind.NOTICE, template="another")
    admit(control, 50, Kind.PROMO)


def test_messages_abroad_are_not_limited() -> None:
    control = FlowControl()
    for _ in range(100):
        admit(control, 0, Kind.INTERNATIONAL)


def test_a_refused_batch_counts_for_nobody() -> None:
    control = FlowControl()
    control.admit(Kind.OTP, "T", [("S", "13800138001")], 0)
    with pytest.raises(Rejection):
        control.admit(Kind.OTP, "T", [("S", "13800138002"), ("S", "13800138001")], 1)
    control.admit(Kind.OTP, "T", [("S", "13800138002")], 2)


def test_a_refused_message_does_not_lengthen_the_wait() -> None:
    control = FlowControl()
    admit(control, 0)
    refusal(control, 59)
    admit(control, MINUTE)
