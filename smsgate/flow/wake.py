"""Look after the messages whose time has come."""

from dataclasses import dataclass

import structlog

from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.look import look
from smsgate.flow.settle import WORKER_LOST
from smsgate.flow.submit import slot_of
from smsgate.gates.expiry import has_expired
from smsgate.ledger import keys
from smsgate.ledger.records import Record, Records
from smsgate.ledger.schedule import Entry, Schedule, Seen
from smsgate.message import Lane
from smsgate.states import State

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wake:
    """Queue what was kept back, expire what is too old, doubt what takes too long."""

    records: Records
    schedule: Schedule
    now: Clock = system_clock

    def __call__(self, limit: int = 500) -> int:
        """Look after up to `limit` messages of each lane, the urgent first; returns the most that a lane had.

        Raises:
            StoreUnavailable: What was not looked after is due still.
        """
        return max(self._wake(lane, limit) for lane in Lane)

    def _wake(self, lane: Lane, limit: int) -> int:
        now = self.now()
        entries = self.schedule.due(lane, now, limit)
        for entry, record in look(self.records, self.schedule, keys.due(lane), entries, now=now):
            self._look(entry, record)
        return len(entries)

    def _look(self, entry: Entry, record: Record | None) -> None:
        match record:
            case Record(state=State.QUEUED):
                self._queue(entry, record)
            case Record(state=State.SENDING):
                self._doubt(record)
            case _:
                # It does not belong here, or did not when it was read.
                self.schedule.restore([entry.id], self.now())

    def _queue(self, entry: Entry, record: Record) -> None:
        now = self.now()
        if has_expired(record.valid_until, now):
            facts = {"reason": "expired"}
            self.records.move(record.id, State.EXPIRED, at=now, fields=facts, only_from=State.QUEUED)
            return
        self.schedule.in_queue(record, since=now, slot=slot_of(record), seen=Seen("due", entry.score))

    def _doubt(self, record: Record) -> None:
        """An attempt has outlasted its lease: its worker is gone, and nobody else will say how it ended."""
        now, facts = self.now(), {"reason": WORKER_LOST}
        log.warning("attempt_lost", message_id=record.id, attempt=record.attempts)
        self.records.move(
            record.id,
            State.UNCERTAIN,
            at=now,
            fields=facts,
            detail=facts,
            only_from=State.SENDING,
            of_attempt=record.attempts,
            due=now,
        )
