"""Reports as the provider writes them, when they are due."""

import pytest

from smsgate.sandbox.faults.board import ReceiptPlan
from smsgate.sandbox.inbox import Delivery, Inbox, Message, Service
from smsgate.sandbox.receipts import Carrier, Post, Report, report, segments


class Time:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def message(phone: str, now: float) -> Message:
    return Message(1, "biz^0", phone, "out", "sign", "SMS_1", "【sign】您好", "", now)


def carried(*plans: ReceiptPlan) -> tuple[Time, Carrier, list[list[Report]], list[Message]]:
    clock, pushed = Time(), list[list[Report]]()
    carrier = Carrier(Inbox(10), {Service.ALIYUN: Post(report, pushed.append)}, 1.0, clock)
    messages = [message(f"1380000000{number}", clock.now) for number in range(len(plans))]
    for each, plan in zip(messages, plans, strict=True):
        carrier.carry(each, plan)
    return clock, carrier, pushed, messages


def test_a_report_has_the_documented_fields_and_types() -> None:
    clock, carrier, pushed, _ = carried(ReceiptPlan())
    clock.now += 1.0
    carrier.deliver_due()
    assert pushed == [
        [
            {
                "phone_number": "13800000000",
                "send_time": "2026-09-21 22:13:20",
                "report_time": "2026-09-21 22:13:21",
                "success": True,
                "err_code": "DELIVERED",
                "err_msg": "用户接收成功",
                "sms_size": "1",
                "biz_id": "biz^0",
                "out_id": "out",
            }
        ]
    ]


def test_nothing_is_reported_before_it_is_due_and_what_is_due_together_goes_together() -> None:
    clock, carrier, pushed, _ = carried(ReceiptPlan(), ReceiptPlan(), ReceiptPlan(delay=5.0))
    clock.now += 0.9
    carrier.deliver_due()
    assert pushed == []
    clock.now += 0.1
    carrier.deliver_due()
    assert [len(batch) for batch in pushed] == [2]
    assert carrier.pending() == 1


def test_an_undeliverable_message_says_why() -> None:
    clock, carrier, pushed, messages = carried(ReceiptPlan(err_code="NO_ROUTE"))
    clock.now += 1.0
    carrier.deliver_due()
    assert (pushed[0][0]["success"], pushed[0][0]["err_code"]) == (False, "NO_ROUTE")
    assert messages[0].delivery is Delivery.UNDELIVERED


def test_a_lost_receipt_settles_the_message_without_a_report_and_a_doubled_one_comes_twice() -> None:
    clock, carrier, pushed, messages = carried(ReceiptPlan(copies=0), ReceiptPlan(copies=2), ReceiptPlan(settles=False))
    clock.now += 1.0
    carrier.deliver_due()
    assert [report["phone_number"] for report in pushed[0]] == ["13800000001", "13800000001"]
    assert [each.delivery.value for each in messages] == ["delivered", "delivered", "waiting"]


@pytest.mark.parametrize(
    ("text", "size"), [("云" * 70, 1), ("云" * 71, 2), ("云" * 134, 2), ("云" * 135, 3), ("a" * 160, 1), ("a" * 161, 2)]
)
def test_segments_are_counted_as_they_are_billed(text: str, size: int) -> None:
    assert segments(text) == size
