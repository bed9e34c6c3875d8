"""How long each thing is waited for, and how often it is tried."""

import random
from dataclasses import dataclass
from typing import Final

from smsgate.message import Lane

# Attempts at a provider, one second doubling between them; another life after a replay has as many again.
ATTEMPTS: Final = 5
# Seconds that a retry may wait in a worker's memory: far below the visibility timeout (300 s), after which Redis would
# hand its task to a second worker. What waits longer is kept out of the queue until its time.
LONGEST_HOLD: Final = 120.0
# Seconds that a message may wait for the limit of its number to lift. A code that comes an hour late is of no use.
LONGEST_LIMIT: Final[dict[Lane, float]] = {Lane.OTP: 65.0, Lane.NOTICE: 86_400.0, Lane.BULK: 259_200.0}
# After so many deliveries of one task none of which came to an attempt, its message is what kills the workers.
MOST_REDELIVERIES: Final = 5
# Questions to a provider that does not answer, after which a message that says `resend` goes out again.
ENOUGH_ASKED: Final = 3
_MS: Final = 1000
_LONGEST_PAUSE: Final = 60
_LONGEST_BETWEEN_QUESTIONS: Final = 600


@dataclass(frozen=True, slots=True)
class Patience:
    """The times that can be set, in seconds.

    `lease` must lie above a task's hard time limit (40 s): a worker may be in its call for that long. `overdue` above
    it too, or messages in a slow worker's hands get a second task, which does no harm and no good. `settling` is how
    long a provider may take until its own query knows what it has accepted: Aliyun names no time, and shows a message
    at once in what others report; a minute is a guess on the safe side.
    """

    lease: float = 60.0
    overdue: float = 45.0
    settling: float = 60.0
    first_question: float = 5.0
    receipt: float = 2 * 3600.0
    # The provider settles everything within 72 hours.
    no_receipt: float = 72 * 3600.0

    def pause_after(self, attempts: int) -> int:
        """Give the wait for the next attempt, in ms, as Celery's autoretry does: up to 1 s doubling, to a minute."""
        return random.randint(0, min(2 ** (attempts - 1), _LONGEST_PAUSE) * _MS)  # noqa: S311 - spreads load only

    def lease_until(self, now: int) -> int:
        return now + int(self.lease * _MS)

    def overdue_since(self, now: int) -> int:
        return now - int(self.overdue * _MS)

    def receipt_due(self, sent_at: int) -> int:
        return sent_at + int(self.receipt * _MS)

    def settled_at(self, attempted_at: int) -> int:
        """Tell when the provider's silence about an attempt means that it was not made."""
        return attempted_at + int(self.settling * _MS)

    def given_up_at(self, attempted_at: int) -> int:
        return attempted_at + int(self.no_receipt * _MS)

    def next_question(self, now: int, asked: int) -> int:
        """Space the questions about an uncertain message: 5 s, doubling, at most ten minutes."""
        return now + int(min(self.first_question * 2.0 ** min(asked, 20), _LONGEST_BETWEEN_QUESTIONS) * _MS)

    def next_reminder(self, now: int, asked: int) -> int:
        """Space the questions about a receipt that does not come: the first wait, doubling."""
        return now + int(min(self.receipt * 2.0 ** min(asked, 20), self.no_receipt) * _MS)
