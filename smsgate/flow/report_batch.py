"""What a reader is told of a batch."""

from collections.abc import Sequence
from typing import Any

from smsgate.flow.report import moment
from smsgate.flow.write_rows import Rejected, Upload
from smsgate.ledger.batch import Batch


def report_batch(batch: Batch, now: int) -> dict[str, Any]:
    """Lay a batch out: how it stands, and its rows by state. `now` in Unix milliseconds."""
    known = {
        "id": batch.id,
        "status": batch.standing(now),
        "template": batch.common["template"],
        "sign": batch.common.get("sign"),
        "lane": batch.lane,
        "created_at": moment(batch.created_at),
        "send_at": moment(batch.not_before) if batch.not_before else None,
        "received": batch.received,
        "accepted": batch.accepted,
        "rejected": batch.rejected,
    }
    return {
        **{name: value for name, value in known.items() if value is not None},
        "counts": {str(state): count for state, count in batch.counts.items()},
    }


def report_upload(upload: Upload) -> dict[str, Any]:
    """Tell what became of the rows that came in."""
    return {
        "id": upload.batch.id,
        "received": upload.received,
        "accepted": upload.accepted,
        "rejected_count": upload.rejected_count,
        "rejected": _told(upload.rejected),
    }


def _told(rejected: Sequence[Rejected]) -> list[dict[str, Any]]:
    return [
        {"index": one.index, "errors": [{"field": error.field, "message": error.message} for error in one.errors]}
        for one in rejected
    ]
