"""Let go the messages of a lane that is paused no more, or whose channels may be called; and probe what is held."""

from dataclasses import dataclass

from smsgate.flow.brake import Brake
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.look import look
from smsgate.flow.submit import slot_of
from smsgate.flow.ways import Ways
from smsgate.ledger import keys
from smsgate.ledger.lanes import Lanes, Pause
from smsgate.ledger.records import Records
from smsgate.ledger.schedule import Schedule, Seen
from smsgate.message import Lane


@dataclass(frozen=True, slots=True)
class Release:
    """Bring parked messages back to their queue."""

    records: Records
    schedule: Schedule
    lanes: Lanes
    brake: Brake
    ways: Ways
    now: Clock = system_clock

    def __call__(self, limit: int = 500) -> int:
        """Queue up to `limit` messages of each lane that may go; returns how many.

        Raises:
            StoreUnavailable: What is still parked stays so until the next call.
        """
        pauses = self.lanes.pauses()
        return sum(self._release(lane, self._may_go(lane, pauses.get(lane), limit)) for lane in Lane)

    def _may_go(self, lane: Lane, pause: Pause | None, limit: int) -> int:
        if pause is None:
            return self.ways.released(lane, limit)
        probes = self.brake.may_probe(pause) and not self.lanes.is_probed(lane)
        return int(probes)

    def _release(self, lane: Lane, limit: int) -> int:
        entries = self.schedule.parked(lane, limit) if limit else []
        now = self.now()
        for entry, record in look(self.records, self.schedule, keys.parked(lane), entries, now=now):
            if record is None or record.message is None:
                self.schedule.forget_parked(lane, entry.id)
            else:
                seen = Seen("parked", entry.score)
                self.schedule.in_queue(record, since=now, slot=slot_of(record), seen=seen)
        return len(entries)
