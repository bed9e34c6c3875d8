"""What the provider pushes to us: reports on what we sent (SmsReport) and replies of phones (SmsUp).

One body may hold many entries, and the provider drops a push after its third refusal, so an entry that cannot be used
is named and passed over, never failing the others. A report without a final word (REQUEST_SUCCESS) is one of those:
the message stays sent, and is asked for or timed out like one whose report never came. IS_CLOSE is final: this attempt
was not delivered, and the provider says so.
"""

import re
from typing import Any, Final

from smsgate.channels.aliyun.reports import DELIVERED, NOT_FINAL, reason_of
from smsgate.channels.fields import milliseconds, text
from smsgate.channels.pushed import Parsed, Unusable, entries_of, read_each
from smsgate.errors import InvalidMessage
from smsgate.message import MESSAGE_ID, MessageId
from smsgate.phone import Phone, parse
from smsgate.receipt import Receipt, Reply

_SUCCESS: Final[dict[str, bool]] = {"true": True, "false": False}
_MOST_SEGMENTS: Final = 99


def parse_reports(body: bytes) -> Parsed[Receipt]:
    """Read an SmsReport push.

    Unusable entries are `not_an_object`, `no_message_id` (sent by others, or out_id is none of ours),
    `bad_phone_number`, `no_verdict` or `not_final`.

    Raises:
        UnusablePush: The body is neither a JSON object nor an array.
    """
    return read_each(entries_of(body), _receipt)


def parse_replies(body: bytes) -> Parsed[Reply]:
    """Read an SmsUp push; unusable entries are `not_an_object` or `bad_phone_number`.

    Raises:
        UnusablePush: The body is neither a JSON object nor an array.
    """
    return read_each(entries_of(body), _reply)


def _receipt(report: dict[str, Any]) -> Receipt:
    code = text(report.get("err_code"))
    if code == NOT_FINAL:
        raise Unusable("not_final")
    delivered = _verdict(report.get("success"), code)
    return Receipt(
        message_id=_message_id(report.get("out_id")),
        provider_id=text(report.get("biz_id")),
        phone=_phone(report.get("phone_number")),
        delivered=delivered,
        code=code,
        reason=None if delivered else reason_of(code),
        reported_at=milliseconds(report.get("report_time")),
        segments=_segments(report.get("sms_size")),
    )


def _reply(reply: dict[str, Any]) -> Reply:
    return Reply(
        phone=_phone(reply.get("phone_number")),
        content=text(reply.get("content")),
        destination=text(reply.get("dest_code")),
        sent_at=milliseconds(reply.get("send_time")),
        sequence=text(reply.get("sequence_id")),
    )


def _verdict(success: Any, code: str) -> bool:
    verdict = _SUCCESS.get(str(success).strip().lower())
    if verdict is not None:
        return verdict
    if not code:
        raise Unusable("no_verdict")
    return code == DELIVERED


def _message_id(out_id: Any) -> MessageId:
    if not isinstance(out_id, str) or re.fullmatch(MESSAGE_ID, out_id) is None:
        raise Unusable("no_message_id")
    return MessageId(out_id)


def _phone(number: Any) -> Phone:
    """Read a number as the provider writes it: the mainland's bare, others with country code and no plus.

    Eleven digits can be both (13105551234 is a mainland phone, and one in Los Angeles): the mainland wins, so compare
    `national`, not the whole, with the message's own phone.
    """
    written = text(number)
    for form in (written, f"+{written}"):
        try:
            return parse(form)
        except InvalidMessage:
            continue
    raise Unusable("bad_phone_number")


def _segments(size: Any) -> int | None:
    written = text(size)
    if not (written.isascii() and written.isdigit()) or len(written) > len(str(_MOST_SEGMENTS)):
        return None
    return int(written) or None
