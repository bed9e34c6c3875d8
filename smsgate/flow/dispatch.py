"""Queue the tasks of the webhooks that are due."""

import time
from typing import Final

from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger.handing import Handed
from smsgate.ledger.webhooks import Webhooks

# Milliseconds after which a task that nobody has taken in hand counts as lost.
LEASE: Final = 120_000
# How many are read at once, and for how many seconds a run may go on: the worker has other chores, too.
AT_ONCE: Final = 100
LONGEST_RUN: Final = 0.5


def dispatch(outbox: Webhooks, *, now: Clock = system_clock) -> int:
    """Lease what is due until there is no more, the queue is full or the time is up; returns how many.

    Raises:
        StoreUnavailable: Redis went away; what was not leased stays due.
    """
    deadline = time.monotonic() + LONGEST_RUN
    leased = 0
    while True:
        seen = outbox.due(now(), limit=AT_ONCE)
        for one in seen:
            answer = outbox.lease(one, now() + LEASE)
            if answer is Handed.FULL:
                return leased
            leased += answer is Handed.HANDED
        if len(seen) < AT_ONCE or time.monotonic() > deadline:
            return leased
