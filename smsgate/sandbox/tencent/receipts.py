"""Reports and replies as the provider pushes them.

Source: cloud.tencent.com/document/api/382/59178 (reports: an array of up to 100, pushed twice more where it fails) and
382/59179 (replies: one object).
"""

from typing import Any, Final

from smsgate.sandbox import china_time, numbers
from smsgate.sandbox.inbox import Delivery, Message

SUCCESS: Final = "SUCCESS"
FAIL: Final = "FAIL"
DELIVERED: Final = "DELIVRD"
# What a phone that was not reached is called where a fault says it in the other provider's words.
_UNREACHED: Final = {
    "MOBILE_NOT_ON_SERVICE": "UNDELIV",
    "INVALID_NUMBER": "MK:0001",
    "MOBILE_IN_BLACK": "BLACK",
    "CONTENT_KEYWORD": "KEYWORD",
    "NO_ROUTE": "NOROUTE",
}


def status_of(message: Message) -> str:
    return SUCCESS if message.delivery is Delivery.DELIVERED else FAIL


def description(message: Message) -> str:
    """Give the carrier's word."""
    if message.delivery is Delivery.DELIVERED:
        return DELIVERED
    return _UNREACHED.get(message.err_code, message.err_code)


def report(message: Message, now: float, *, sessions: bool) -> dict[str, object]:
    """Write a report; `ext` is there only for accounts for which it was opened."""
    delivered = message.delivery is Delivery.DELIVERED
    item: dict[str, object] = {
        "user_receive_time": china_time.stamp(now),
        **_number(message.phone),
        "report_status": status_of(message),
        "errmsg": description(message),
        "description": "用户短信送达成功" if delivered else "用户短信送达失败",
        "sid": message.biz_id,
    }
    return {**item, "ext": message.out_id} if sessions else item


def reply(phone: str, content: str, sign: str, now: float) -> dict[str, Any]:
    """Write a reply."""
    return {"extend": "", **_number(numbers.digits(phone)), "sign": sign, "text": content, "time": int(now)}


def _number(phone: str) -> dict[str, str]:
    """Write a number as the provider does; the sandbox knows the mainland's country code only."""
    number = numbers.read(phone)
    return {"nationcode": "86" if number is not None and number.mainland else "", "mobile": phone}
