"""PullSmsSendStatusByPhoneNumber: asking the provider for a message that may have been sent.

It lists what carriers have said of the messages to a number; one that the carrier has not spoken of is missing, though
it was accepted. The list has our id (SessionContext) only where the provider has opened that for the account, and its
Offset must be 0, so that beyond a hundred statuses nothing can be read. A missing message may thus have been sent all
the same: `Unknown`, on which it would go out a second time, is never the answer.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from smsgate.channels.channel import Inquiry
from smsgate.channels.failure import no_answer
from smsgate.channels.fields import text
from smsgate.channels.tencent.call import Answer, call
from smsgate.channels.tencent.config import TencentConfig
from smsgate.channels.tencent.reports import reason_of
from smsgate.channels.verdicts import trace_of
from smsgate.outcome import Fault
from smsgate.receipt import Receipt
from smsgate.trace import NoAnswer, Trace

MOST: Final = 100
# Seconds. The provider keeps seven days; our clock and its may be minutes apart.
KEPT: Final = 7 * 86400
CLOCKS_APART: Final = 600

SUCCESS: Final = "SUCCESS"
VERDICTS: Final[dict[str, bool]] = {SUCCESS: True, "FAIL": False}

_UNPARSABLE: Final = NoAnswer("unparsable_answer", Fault.PROVIDER)


def find(config: TencentConfig, inquiry: Inquiry) -> Trace:
    """Look for a message among the statuses of its number; sends nothing, never raises for provider or network."""
    now = int(time.time())
    begin = min(inquiry.since, inquiry.until) // 1000 - CLOCKS_APART
    if begin <= now - KEPT:
        return NoAnswer("too_old", Fault.MESSAGE)
    answer = call(config, "PullSmsSendStatusByPhoneNumber", request_of(config, inquiry, begin, now))
    return trace_in(answer.body, inquiry) if isinstance(answer, Answer) else no_answer(answer)


def request_of(config: TencentConfig, inquiry: Inquiry, begin: int, now: int) -> dict[str, Any]:
    """Ask for all statuses from the first attempt to now: it is not said whose time it is that is compared."""
    return {
        "BeginTime": begin,
        "EndTime": now + CLOCKS_APART,
        "Offset": 0,
        "Limit": MOST,
        "PhoneNumber": str(inquiry.phone),
        "SmsSdkAppId": config.app_id,
    }


def trace_in(body: Mapping[str, Any], inquiry: Inquiry) -> Trace:
    """Read a list of statuses."""
    statuses = body.get("PullSmsSendStatusSet")
    statuses = [] if statuses is None else statuses
    if not isinstance(statuses, list) or not all(isinstance(status, dict) for status in statuses):
        return _UNPARSABLE
    ours = [status for status in statuses if text(status.get("SessionContext")) in inquiry.names]
    if ours:
        return trace_of([_verdict(status, inquiry) for status in ours])
    return NoAnswer(_why(statuses), Fault.MESSAGE)


def _why(statuses: Sequence[Mapping[str, Any]]) -> str:
    """Say why a message is not to be found; the last is for an operator to ask the provider for."""
    if len(statuses) >= MOST:
        return "too_many_messages"
    named = any(text(status.get("SessionContext")) for status in statuses)
    return "not_listed" if named or not statuses else "session_context_not_listed"


def _verdict(status: Mapping[str, Any], inquiry: Inquiry) -> Receipt | None:
    verdict = text(status.get("ReportStatus"))
    if verdict not in VERDICTS:
        return None
    delivered, code = VERDICTS[verdict], text(status.get("Description")) or verdict
    seconds = status.get("UserReceiveTime")
    return Receipt(
        message_id=inquiry.id,
        provider_id=text(status.get("SerialNo")),
        phone=inquiry.phone,
        delivered=delivered,
        code=code,
        reason=None if delivered else reason_of(code),
        reported_at=seconds * 1000 if isinstance(seconds, int) and seconds > 0 else None,
        segments=None,
    )
