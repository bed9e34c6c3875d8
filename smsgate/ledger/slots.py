"""Where a queued message waits for a worker: as a task in its lane's queue, or among those that it leaves with."""

from dataclasses import dataclass
from typing import Final

from smsgate.ledger import keys
from smsgate.ledger.record import Record
from smsgate.queues import Queue


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in Redis: `entry` goes into the list `key`; without `group` it is a Celery message."""

    key: str
    entry: str
    group: str = ""
    groups: str = ""


# Written to by nobody; a script must be given the key all the same.
NOWHERE: Final = Slot(Queue.NOTICE, "")


def company(record: Record) -> Slot:
    """Find the place of a message among those that it leaves with: of its batch or client, its template and sign.

    Groups take turns, so that nobody's million messages stand before another's ten.
    """
    message, gathers = record.message, record.gathers
    if message is None or gathers is None:
        raise AssertionError("only a message that gathers has company")
    group = f"{record.batch or ''}|{gathers.written}|{message.template}|{message.sign or ''}"
    if record.client and not record.batch:
        group = f"{group}|{record.client}"
    entry = f"{message.to.national} {record.id}"
    return Slot(keys.group(record.lane, group), entry, group, keys.groups(record.lane))
