"""Give a new task to a message whose own was lost.

Redis hands a task to a worker and the worker notes that it has it: two steps, and one killed between them loses the
task. So does a retry whose publish is refused. The message is still there, and its task is not among what its queue
still holds: so it gets another. Should the first turn up all the same, it finds its attempt begun, and does nothing.
"""

from dataclasses import dataclass, field

import structlog

from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.look import look
from smsgate.flow.patience import Patience
from smsgate.flow.submit import slot_of
from smsgate.ledger import keys
from smsgate.ledger.marks import Marks
from smsgate.ledger.records import Records
from smsgate.ledger.schedule import Placed, Schedule, Seen
from smsgate.message import Lane

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sweep:
    """Find queued messages without a task."""

    records: Records
    schedule: Schedule
    patience: Patience = field(default_factory=Patience)
    now: Clock = system_clock
    marks: Marks | None = None  # where the queues are at a broker of their own

    def __call__(self, limit: int = 500) -> int:
        """Sweep each lane, for up to `limit` messages; returns how many got a task.

        Raises:
            StoreUnavailable: The next sweep finds what this one did not come to.
        """
        return sum(self._sweep(lane, limit) for lane in Lane)

    def _sweep(self, lane: Lane, limit: int) -> int:
        now = self.now()
        worked_off = (self.marks or self.schedule).worked_off(lane, now)
        if worked_off is None:
            return 0
        entries = self.schedule.waiting(lane, min(worked_off, self.patience.overdue_since(now)), limit)
        swept = 0
        for entry, record in look(self.records, self.schedule, keys.waiting(lane), entries, now=now):
            if record is None or record.message is None:
                self.schedule.forget_waiting(lane, entry.id)
                continue
            seen = Seen("waiting", entry.score)
            if self.schedule.in_queue(record, since=now, slot=slot_of(record), seen=seen) is Placed.PLACED:
                log.warning("task_lost", message_id=record.id, lane=lane, since=entry.score)
                swept += 1
        return swept
