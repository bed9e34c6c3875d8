"""The brake of a lane: a bad deploy or a wrong key must not turn every message into a dead letter.

When most of what comes to an end in a lane ends dead, the lane is paused and its messages are parked, unharmed. From
then on one message at a time is let through as a probe; the first that is sent releases the lane.
"""

from dataclasses import dataclass, field
from typing import Final

import structlog

from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger.lanes import By, Lanes, Pause
from smsgate.ledger.records import Record
from smsgate.message import Lane
from smsgate.outcome import MENDABLE, Outcome, Refused, Sent

log = structlog.get_logger()

# Seconds between two messages, or chunks, of a lane that is delayed.
TRICKLE: Final = 1.0


@dataclass(frozen=True, slots=True)
class BrakeRule:
    """When a lane is paused: `least` messages dead within `window` seconds, and `share` of all that ended then.

    `probe` is how many seconds lie between two probes.
    """

    share: float = 0.5
    least: int = 20
    window: float = 60.0
    probe: float = 30.0


@dataclass(frozen=True, slots=True)
class Brake:
    """Pauses lanes whose messages die, and lets them go when one gets through."""

    lanes: Lanes
    rule: BrakeRule = field(default_factory=BrakeRule)
    now: Clock = system_clock

    def is_off(self, lane: Lane) -> bool:
        """Say whether a lane goes on as usual, without asking anybody most of the time."""
        return self.lanes.pause_of(lane) is None

    def lets_pass(self, record: Record) -> bool:
        """Say whether a message may go now; one of a braked lane may as its probe."""
        pause = self.lanes.pause_of(record.lane)
        return pause is None or (self.may_probe(pause) and self._takes(pause, record.lane, record.id))

    def most_of(self, lane: Lane, most: int, probe: str) -> int:
        """Say how many messages of a lane may go together now; of a braked one a single one, as the probe `probe`."""
        pause = self.lanes.pause_of(lane)
        if pause is None:
            return most
        if not self.may_probe(pause) or not self._takes(pause, lane, probe):
            return 0
        return most if pause.by is By.DELAY else 1

    def may_probe(self, pause: Pause) -> bool:
        """Say whether one may be let through: a braked lane has stood for long enough, or a lane is only delayed."""
        match pause.by:
            case By.BRAKE:
                return self.now() >= pause.at + int(self.rule.probe * 1000)
            case By.DELAY:
                return True
            case By.HAND | By.DEGRADATION:
                return False

    def _takes(self, pause: Pause, lane: Lane, probe: str) -> bool:
        return self.lanes.take_probe(lane, probe, TRICKLE if pause.by is By.DELAY else self.rule.probe)

    def learn(self, lane: Lane, outcome: Outcome, *, began: int) -> None:
        """Draw the lesson of an attempt that has been settled; `began` in Unix milliseconds."""
        match outcome:
            case Sent():
                self._release(lane, began)
            case Refused(_, fault) if fault in MENDABLE:
                self.check(lane)
            case _:
                pass

    def check(self, lane: Lane) -> None:
        """Pause a lane when too much of it ended dead lately; called for each message that did."""
        now, window = self.now(), int(self.rule.window * 1000)
        tally = self.lanes.tally(lane, now, window)
        if tally.dead < self.rule.least or tally.share < self.rule.share:
            return
        reason = f"{tally.dead} of the last {tally.ended} messages ended dead"
        if self.lanes.pause(lane, Pause(By.BRAKE, reason, now)):
            log.critical("lane_braked", lane=lane, dead=tally.dead, ended=tally.ended, fix="smsgate dead list")

    def _release(self, lane: Lane, began: int) -> None:
        """Release a lane from its brake, unless the attempt that succeeded was begun before: only probes come after."""
        pause = self.lanes.pause_of(lane)
        if pause is None or pause.by is not By.BRAKE or began <= pause.at:
            return
        if self.lanes.resume(lane, only=pause):
            self.lanes.clear_tally(lane, self.now(), int(self.rule.window * 1000))
            log.warning("lane_resumed", lane=lane, by="probe")
