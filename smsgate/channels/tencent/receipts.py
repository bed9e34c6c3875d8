"""What the provider pushes to us: reports on what we sent and replies of phones.

Source: cloud.tencent.com/document/api/382/59178 (reports: an array of up to 100) and 382/59179 (replies: one object).
A report names the message by the provider's own id (`sid`, the SerialNo that SendSms answered with) and its number;
our id (`ext`, the SessionContext) comes only where the provider has opened that for the account.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from smsgate.channels.fields import milliseconds, text
from smsgate.channels.pushed import Parsed, Unusable, entries_of, read_each
from smsgate.channels.tencent.reports import reason_of
from smsgate.errors import InvalidMessage
from smsgate.message import MESSAGE_ID, MessageId
from smsgate.phone import Phone, parse
from smsgate.receipt import Receipt, Reply

_VERDICTS: Final[dict[str, bool]] = {"SUCCESS": True, "FAIL": False}


@dataclass(frozen=True, slots=True)
class Report:
    """A carrier's last word on what the provider knows as `provider_id`; `message_id` where it names ours."""

    provider_id: str
    phone: Phone
    delivered: bool
    code: str
    reason: str | None
    reported_at: int | None
    message_id: MessageId | None

    def receipt(self, message_id: MessageId) -> Receipt:
        """Make it the receipt of the message that it is found to be of."""
        return Receipt(
            message_id=message_id,
            provider_id=self.provider_id,
            phone=self.phone,
            delivered=self.delivered,
            code=self.code,
            reason=self.reason,
            reported_at=self.reported_at,
            segments=None,
        )


def parse_reports(body: bytes) -> Parsed[Report]:
    """Read a push of reports; unusable entries are `not_an_object`, `no_provider_id`, `bad_phone_number`, `no_verdict`.

    Raises:
        UnusablePush: The body is neither a JSON object nor an array.
    """
    return read_each(entries_of(body), _report)


def parse_replies(body: bytes) -> Parsed[Reply]:
    """Read a push of a reply; unusable entries are `not_an_object` or `bad_phone_number`.

    Raises:
        UnusablePush: The body is neither a JSON object nor an array.
    """
    return read_each(entries_of(body), _reply)


def _report(report: Mapping[str, Any]) -> Report:
    provider_id, code = text(report.get("sid")), text(report.get("errmsg"))
    if not provider_id:
        raise Unusable("no_provider_id")
    delivered = _VERDICTS.get(text(report.get("report_status")).strip().upper())
    if delivered is None:
        raise Unusable("no_verdict")
    return Report(
        provider_id=provider_id,
        phone=_phone(report),
        delivered=delivered,
        code=code,
        reason=None if delivered else reason_of(code),
        reported_at=milliseconds(report.get("user_receive_time")),
        message_id=_message_id(report.get("ext")),
    )


def _reply(reply: Mapping[str, Any]) -> Reply:
    seconds = reply.get("time")
    known = isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0
    return Reply(
        phone=_phone(reply),
        content=text(reply.get("text")),
        destination=text(reply.get("extend")),
        sent_at=int(seconds) * 1000 if known and seconds is not None else None,
        sequence="",
    )


def _message_id(ext: Any) -> MessageId | None:
    return MessageId(ext) if isinstance(ext, str) and re.fullmatch(MESSAGE_ID, ext) else None


def _phone(entry: Mapping[str, Any]) -> Phone:
    """Read a number, whose country code is told apart; where that is missing, it is in the number or the mainland's."""
    country, number = text(entry.get("nationcode")).lstrip("+"), text(entry.get("mobile"))
    forms = (f"+{country}{number}",) if country else (number, f"+{number}")
    for form in forms:
        try:
            return parse(form)
        except InvalidMessage:
            continue
    raise Unusable("bad_phone_number")
