"""Read the messages that stand in an index, so that one that cannot be read does not hold up the others."""

from collections.abc import Sequence
from typing import Final

import structlog

from smsgate.ledger.records import Record, Records
from smsgate.ledger.schedule import Entry, Schedule

log = structlog.get_logger()

# Milliseconds after which such a message is looked at again: by then a newer program may be here, which wrote it.
PUT_OFF: Final = 600_000


def look(
    records: Records, schedule: Schedule, index: str, entries: Sequence[Entry], *, now: int
) -> list[tuple[Entry, Record | None]]:
    """Pair each entry with its record, None where there is none any more.

    Raises:
        StoreUnavailable: Nothing was put off.
    """
    try:
        found = records.read_all([entry.id for entry in entries])
    except (ValueError, KeyError, TypeError):
        return [pair for entry in entries for pair in _one(records, schedule, index, entry, now)]
    return list(zip(entries, found, strict=True))


def _one(records: Records, schedule: Schedule, index: str, entry: Entry, now: int) -> list[tuple[Entry, Record | None]]:
    try:
        return [(entry, records.read(entry.id))]
    except (ValueError, KeyError, TypeError) as error:
        log.error("record_unreadable", message_id=entry.id, error=type(error).__name__)  # noqa: TRY400 - its text may hold a number
        schedule.put_off(index, entry.id, now + PUT_OFF)
        return []
