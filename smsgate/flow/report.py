"""What a reader is told of a message, over HTTP and in the terminal."""

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from smsgate.flow.clock import system_clock
from smsgate.ledger.records import Event, Record
from smsgate.message import Message, OnUncertain
from smsgate.states import RESTING

# Details of events that hold Unix milliseconds.
_MOMENTS: Final = frozenset({"reported_at", "send_at", "not_before"})


def report(record: Record, *, now: int | None = None) -> dict[str, Any]:
    """Lay a record out: times as ISO 8601 in UTC, the number masked, the parameters left out.

    `now` in Unix milliseconds tells which times lie ahead.
    """
    message = record.message
    known = {
        "id": record.id,
        "state": record.state,
        "final": record.state in RESTING,
        "reason": record.reason,
        "to": message.to.masked if message else None,
        "template": message.template if message else None,
        "sign": message.sign if message else None,
        "lane": message.lane if message else None,
        "reference": message.reference if message else None,
        "channel": record.channel,
        "provider_id": record.provider_id,
        "attempts": record.attempts,
        "accepted_at": moment(record.accepted_at),
        "valid_until": moment(record.valid_until),
        **_ahead(record, system_clock() if now is None else now),
        **(_wishes(message) if message else {}),
    }
    return {
        **{name: value for name, value in known.items() if value is not None},
        "timeline": [_told(event) for event in record.timeline],
    }


def _ahead(record: Record, now: int) -> dict[str, Any]:
    """Tell when a message that waits for its time may go, and which time its sender asked for."""
    if record.state in RESTING or record.not_before <= now:
        return {}
    sent_at = record.message.send_at if record.message else None
    send_at = int(sent_at.timestamp() * 1000) if sent_at else 0
    return {"not_before": moment(record.not_before), "send_at": moment(send_at) if send_at > now else None}


def _wishes(message: Message) -> dict[str, Any]:
    """Tell how a message is to be treated; of a URL its host only, as the rest may hold a secret."""
    return {
        "on_uncertain": message.on_uncertain if message.on_uncertain is not OnUncertain.HOLD else None,
        "callback_host": urlsplit(message.callback_url).hostname if message.callback_url else None,
    }


def _told(event: Event) -> dict[str, Any]:
    detail = {name: moment(value) if name in _MOMENTS else value for name, value in event.detail.items()}
    return {"at": moment(event.at), "state": event.state, **detail}


def moment(milliseconds: int) -> str:
    """Write Unix milliseconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
