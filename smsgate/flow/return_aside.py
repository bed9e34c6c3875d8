"""Let go the messages of clients and templates that are paused no more."""

from dataclasses import dataclass

from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.look import look
from smsgate.flow.submit import slot_of
from smsgate.ledger import keys
from smsgate.ledger.aside import Aside
from smsgate.ledger.groups import Groups
from smsgate.ledger.pauses import Subject
from smsgate.ledger.records import Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Lane


@dataclass(frozen=True, slots=True)
class ReturnAside:
    """Bring back what stands aside; called each second."""

    records: Records
    schedule: Schedule
    groups: Groups
    aside: Aside
    now: Clock = system_clock

    def __call__(self, limit: int = 500) -> int:
        """Queue up to `limit` messages of each subject that may go, and its groups; returns how many messages.

        Raises:
            StoreUnavailable: What stands aside still stays so until the next call.
        """
        for lane in Lane:
            self.groups.return_from_aside(lane, self.now())
        subjects = self.aside.subjects()
        paused = self.aside.pauses.all() if subjects else {}
        for one in subjects:
            if one in paused:
                self.aside.forget_expired(one, self.now())
        return sum(self._return(one, limit) for one in subjects if one not in paused)

    def _return(self, subject: Subject, limit: int) -> int:
        entries, now = self.aside.entries(subject, limit), self.now()
        if not entries:
            self.aside.forget_subject(subject)
        for entry, record in look(self.records, self.schedule, keys.aside(str(subject)), entries, now=now):
            if record is None or record.message is None:
                self.aside.forget(subject, entry.id)
            else:
                self.aside.back(record, subject, entry, slot_of(record), now)
        return len(entries)
