"""Read the messages that stand in an index, so that one that cannot be read does not hold up the others."""

from collections.abc import Sequence
from typing import Final

from smsgate.ledger.records import Record, Records
from smsgate.ledger.schedule import Entry, Schedule

# Milliseconds after which such a message is looked at again: by then a newer program may be here, which wrote it.
PUT_OFF: Final = 600_000


def look(
    records: Records, schedule: Schedule, index: str, entries: Sequence[Entry], *, now: int
) -> list[tuple[Entry, Record | None]]:
    """Pair each entry with its record, None where there is none any more; put off those that cannot be read.

    Raises:
        StoreUnavailable: Nothing was changed, or some were put off.
    """
    found = records.read_those_readable([entry.id for entry in entries]) if entries else {}
    for entry in entries:
        if entry.id not in found:
            schedule.put_off(index, entry.id, now + PUT_OFF)
    return [(entry, found[entry.id]) for entry in entries if entry.id in found]
