"""QuerySendDetails: what one number was sent on one day, answered from what was accepted."""

import re
from typing import Final

from smsgate.sandbox import china_time, numbers
from smsgate.sandbox.actions.parameters import Params, required
from smsgate.sandbox.answers import accepted, invalid
from smsgate.sandbox.inbox import Delivery, Message, Query
from smsgate.sandbox.provider import Provider

LARGEST_PAGE: Final = 50
_DAY: Final = re.compile(r"[0-9]{8}")
_STATUS: Final = {Delivery.WAITING: 1, Delivery.UNDELIVERED: 2, Delivery.DELIVERED: 3}


def query_send_details(provider: Provider, params: Params) -> dict[str, object]:
    """List one page, newest first."""
    phone, day, size, current = required(params, "PhoneNumber", "SendDate", "PageSize", "CurrentPage")
    if not _DAY.fullmatch(day):
        raise invalid("SendDate")
    page_size, page = _number("PageSize", size, LARGEST_PAGE), _number("CurrentPage", current)
    biz_id = params.get("BizId")
    found = [
        message
        for message in provider.inbox.find(Query(phone=numbers.digits(phone)))
        if china_time.day(message.accepted_at) == day and biz_id in (None, "", message.biz_id)
    ]
    shown = found[(page - 1) * page_size : page * page_size]
    return accepted(TotalCount=str(len(found)), SmsSendDetailDTOs={"SmsSendDetailDTO": [_detail(m) for m in shown]})


def _number(name: str, written: str, largest: int = 1_000_000) -> int:
    if not (written.isascii() and written.isdigit() and len(written) <= len(str(largest))):
        raise invalid(name)
    number = int(written)
    if not 1 <= number <= largest:
        raise invalid(name)
    return number


def _detail(message: Message) -> dict[str, object]:
    detail: dict[str, object] = {
        "PhoneNum": message.phone,
        "SendStatus": _STATUS[message.delivery],
        "TemplateCode": message.template,
        "Content": message.text,
        "SendDate": china_time.stamp(message.accepted_at),
        "OutId": message.out_id,
    }
    if message.settled_at is not None:
        detail |= {"ErrCode": message.err_code, "ReceiveDate": china_time.stamp(message.settled_at)}
    return detail
