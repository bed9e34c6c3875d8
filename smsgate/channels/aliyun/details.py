"""What an answer of QuerySendDetails says of one message.

The answer holds the text of every message to the number: nothing of it is logged, or kept, but what `Receipt` has.
"""

from dataclasses import dataclass
from typing import Any, Final

from smsgate.channels.aliyun import codes
from smsgate.channels.aliyun.reports import NOT_FINAL, reason_of
from smsgate.channels.channel import Inquiry
from smsgate.channels.failure import no_answer
from smsgate.channels.fields import milliseconds, text
from smsgate.outcome import Fault
from smsgate.receipt import Receipt
from smsgate.trace import NoAnswer

# What SendStatus can be; 1 is waiting for the carrier.
FAILED: Final = "2"
DELIVERED: Final = "3"

_UNPARSABLE: Final = NoAnswer("unparsable_answer", Fault.PROVIDER)
_LONGEST_COUNT: Final = 9


@dataclass(frozen=True, slots=True)
class Page:
    """What one page of a day's list says of the message.

    `verdicts` has an item for each entry with our OutId, None where the carrier has not spoken; `length` counts all
    entries on the page, `total` those of the day.
    """

    verdicts: tuple[Receipt | None, ...]
    length: int
    total: int


def page_of(body: Any, inquiry: Inquiry) -> Page | NoAnswer:
    """Read an answer that came with HTTP 200; the SDK fills its models with any JSON, the provider's or not."""
    code = getattr(body, "code", None)
    if not isinstance(code, str) or not code:
        return _UNPARSABLE
    if code != "OK":
        return no_answer(codes.outcome_of(code, str(body.message)))
    total = text(body.total_count)
    entries = getattr(body.sms_send_detail_dtos, "sms_send_detail_dto", None) or []
    if not _is_count(total) or not isinstance(entries, list) or not all(map(_is_readable, entries)):
        return _UNPARSABLE
    verdicts = tuple(_verdict(entry, inquiry) for entry in entries if text(entry.out_id) in inquiry.names)
    return Page(verdicts, length=len(entries), total=int(total))


def _is_count(written: str) -> bool:
    return written.isascii() and written.isdigit() and len(written) <= _LONGEST_COUNT


def _is_readable(entry: Any) -> bool:
    """Say whether an entry is one: without an OutId it was sent from the console, or by other programs."""
    out_id, status = getattr(entry, "out_id", None), text(getattr(entry, "send_status", None))
    return bool(status) if out_id is None else out_id == "" or bool(text(out_id))


def _verdict(entry: Any, inquiry: Inquiry) -> Receipt | None:
    """Read the carrier's verdict on an entry of ours.

    A status that nobody has told us of is none: the provider has the message all the same. The number is the one that
    was asked about, since the answer's may be masked.
    """
    status, code = text(entry.send_status), text(entry.err_code)
    if status not in (FAILED, DELIVERED) or code == NOT_FINAL:
        return None
    delivered = status == DELIVERED
    return Receipt(
        message_id=inquiry.id,
        provider_id="",
        phone=inquiry.phone,
        delivered=delivered,
        code=code,
        reason=None if delivered else reason_of(code),
        reported_at=milliseconds(entry.receive_date),
        segments=None,
    )
