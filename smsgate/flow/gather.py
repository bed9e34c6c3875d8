"""Have the messages taken that have waited for company for long enough."""

from dataclasses import dataclass
from typing import Final

from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.ways import Ways
from smsgate.ledger.groups import MOST_TASKS, Groups
from smsgate.ledger.lanes import PROBED, Lanes
from smsgate.message import Lane

# Rows of a batch leave together in any lane; other messages that leave together are notices or bulk.
LANES: Final = tuple(Lane)


@dataclass(frozen=True, slots=True)
class Gather:
    """Queue the tasks that take chunks."""

    groups: Groups
    lanes: Lanes
    ways: Ways
    now: Clock = system_clock

    def __call__(self) -> int:
        """Queue a task for each chunk that may be taken and each lane that may go; returns how many.

        A lane that its brake holds gets one, too, for its probes, and one that is delayed; it finds out for itself
        whether it may go.

        Raises:
            StoreUnavailable: The next call makes up for it.
        """
        pauses = self.lanes.pauses()
        going = [lane for lane in LANES if lane not in pauses or pauses[lane].by in PROBED]
        return sum(self._fill(lane, 1 if lane in pauses else MOST_TASKS) for lane in going)

    def _fill(self, lane: Lane, most: int) -> int:
        """Queue the tasks of a lane; where no channel may be called none, where one is to be probed one."""
        some = self.ways.released(lane, most)
        return self.groups.fill(lane, self.now(), most=some) if some else 0
