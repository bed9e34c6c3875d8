"""Messages of paused clients and templates: out of their queue, unharmed, until they are resumed or expire.

Those that leave together wait in their groups, which are set aside whole (see groups.py); these leave by themselves.
"""

from typing import Final, cast

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.ledger.pauses import Pauses, Subject
from smsgate.ledger.record import Record
from smsgate.ledger.schedule import Entry, Placed
from smsgate.ledger.slots import NOWHERE, Slot
from smsgate.message import MessageId


class Aside:
    """What is set aside in one Redis. Everything here raises StoreUnavailable."""

    def __init__(self, client: redis.Redis, pauses: Pauses) -> None:
        self._redis = client
        self.pauses: Final = pauses
        self._place = client.register_script(scripts.source("place"))
        self._forget = client.register_script(scripts.source("forget_subject"))

    def is_in_use(self) -> bool:
        """Say whether any client or template is paused, without asking anybody most of the time."""
        return bool(self.pauses.lately())

    def takes(self, record: Record) -> bool:
        """Set a message aside whose client or template is paused; False where neither is."""
        subject = self.pauses.of(record)
        if subject is not None:
            self.put(record, subject)
        return subject is not None

    def put(self, record: Record, subject: Subject) -> None:
        """Set a queued message aside for a subject; it stands there by when it expires."""
        with border():
            pipe = self._redis.pipeline()
            self._place(
                keys=self._keys(record, subject, NOWHERE),
                args=[record.id, "", "", record.valid_until, "", record.valid_until, "", "", 0, keys.GROUP_TTL],
                client=pipe,
            )
            pipe.sadd(keys.ASIDE, str(subject))
            pipe.execute()

    def back(self, record: Record, subject: Subject, entry: Entry, slot: Slot, now: int) -> Placed:
        """Have a message wait for a worker again, if it stands aside still as it was seen."""
        with border():
            answer = self._place(
                keys=self._keys(record, subject, slot),
                args=[
                    *(record.id, "parked", entry.score, record.valid_until, "" if slot.group else now, "", slot.entry),
                    *(slot.group, now, keys.GROUP_TTL),
                ],
            )
        return Placed(answer)

    def subjects(self) -> list[Subject]:
        """Name those for whom something may stand aside, paused or not."""
        with border():
            return [Subject.read(one) for one in cast("set[str]", self._redis.smembers(keys.ASIDE))]

    def entries(self, subject: Subject, limit: int) -> list[Entry]:
        """List messages, those that expire first before the others."""
        with border():
            found = self._redis.zrangebyscore(keys.aside(str(subject)), "-inf", "+inf", 0, limit, withscores=True)
        return [Entry(MessageId(name), int(score)) for name, score in cast("list[tuple[str, float]]", found)]

    def count(self, subject: Subject) -> int:
        with border():
            return int(self._redis.zcard(keys.aside(str(subject))))

    def forget(self, subject: Subject, message_id: MessageId) -> None:
        with border():
            self._redis.zrem(keys.aside(str(subject)), message_id)

    def forget_expired(self, subject: Subject, now: int) -> None:
        """Forget messages that have expired: the schedule ends them."""
        with border():
            self._redis.zremrangebyscore(keys.aside(str(subject)), "-inf", now)

    def forget_subject(self, subject: Subject) -> None:
        """Look no more at a subject for whom nothing stands aside."""
        with border():
            self._forget(keys=[keys.aside(str(subject)), keys.ASIDE], args=[str(subject)])

    def _keys(self, record: Record, subject: Subject, slot: Slot) -> list[str]:
        return [
            *(keys.record(record.id), keys.due(record.lane), keys.waiting(record.lane), keys.aside(str(subject))),
            *(slot.key, slot.groups),
        ]
