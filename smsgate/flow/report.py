"""What a reader is told of a message, over HTTP and in the terminal."""

from datetime import UTC, datetime
from typing import Any

from smsgate.ledger.records import Event, Record
from smsgate.states import RESTING


def report(record: Record) -> dict[str, Any]:
    """Lay a record out: times as ISO 8601 in UTC, the number masked, the parameters left out."""
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
    }
    return {
        **{name: value for name, value in known.items() if value is not None},
        "timeline": [_told(event) for event in record.timeline],
    }


def _told(event: Event) -> dict[str, Any]:
    detail = dict(event.detail)
    if "reported_at" in detail:
        detail["reported_at"] = moment(detail["reported_at"])
    return {"at": moment(event.at), "state": event.state, **detail}


def moment(milliseconds: int) -> str:
    """Write Unix milliseconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
