"""Go round all records, little by little, and put back into its index what stands in none.

Every change of state writes the index in the same act, so there is nothing to find; unless an older version, which knew
no index, is at work or was, or somebody has edited Redis by hand.
"""

from dataclasses import dataclass

import structlog

from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger.schedule import Schedule

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Census:
    """A round over the records that never ends."""

    schedule: Schedule
    now: Clock = system_clock

    def __call__(self, count: int = 1000) -> int:
        """Look at about `count` keys, going on from where the last call ended; returns how many had to be put back.

        Raises:
            StoreUnavailable: The next call goes over them again.
        """
        restored = self.schedule.restore(self.schedule.next_of_round(count), self.now())
        if restored:
            log.warning("records_in_no_index", count=restored)
        return restored
