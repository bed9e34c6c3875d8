"""Hand tasks on from the outbox to a broker of their own.

Whoever has accepted something does it at once; what is left there, because the broker was away or somebody died, a
chore finds within a second. Nothing is accepted by the broker's grace: a message is in Redis, and the broker only
brings it to a worker. So a task that the broker loses is made up for (see smsgate/flow/sweep.py), and one that reaches
it twice finds its attempt claimed.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from smsgate.broker.publisher import Publisher
from smsgate.errors import BrokerUnavailable, StoreUnavailable
from smsgate.ledger.envelope import Unsealed, unseal
from smsgate.ledger.outbox import Outbox, Parcel, Posted
from smsgate.queues import Queue

if TYPE_CHECKING:
    from smsgate.ledger.strays import Strays

# Not structlog: a program that calls `.delay()` comes here too, and does without.
log: Final = logging.getLogger(__name__)

# Entries of each queue that are handed on by whoever is being waited for; when many wait, the chore sees to them.
FEW: Final = 20
# Seconds for which whoever is being waited for waits for another who hands on, and for which nobody who is tries again
# what has just failed.
_PATIENCE: Final = 1.0
_PAUSE: Final = 1.0


class HandOn:
    """Hands on what waits in the outbox; for any number of threads, one at a time."""

    def __init__(self, outbox: Outbox, publisher: Publisher, strays: "Callable[[], Strays]") -> None:
        """Take the outbox, the broker, and what builds the place for entries that are no messages."""
        self._outbox = outbox
        self._publisher = publisher
        self._strays = strays
        self._one_at_a_time = threading.Lock()
        self._resume_at = 0.0

    def at_once(self) -> None:
        """Hand on what was just accepted, perhaps with others'; where that fails it is left to the chore."""
        if time.monotonic() < self._resume_at or not self._one_at_a_time.acquire(timeout=_PATIENCE):
            return
        try:
            # Whoever had its turn meanwhile may have failed.
            if time.monotonic() >= self._resume_at:
                self._some(FEW)
        except (BrokerUnavailable, StoreUnavailable) as error:
            self._resume_at = time.monotonic() + _PAUSE
            log.warning("not_handed_on: %s", error)
        finally:
            self._one_at_a_time.release()

    def __call__(self, seconds: float) -> int:
        """Hand on all there is, for so many seconds at most; returns how many, and notes how many the broker holds.

        Raises:
            BrokerUnavailable: It is away; what was not handed on stays in the outbox.
            StoreUnavailable: Redis is away.
        """
        until, total = time.monotonic() + seconds, 0
        with self._one_at_a_time:
            while time.monotonic() < until:
                handed_on, is_more = self._some()
                total += handed_on
                if not is_more:
                    break
            self._outbox.note_at_broker(self._publisher.waiting_in(Queue))
        return total

    def waiting_in(self, queue: Queue) -> int:
        """Ask the broker how many tasks wait in a queue.

        Raises:
            BrokerUnavailable: It did not answer.
        """
        with self._one_at_a_time:
            return self._publisher.waiting_in([queue])[queue]

    def _some(self, most: int | None = None) -> tuple[int, bool]:
        """Hand on one parcel; returns how many were, and whether it is worth going on."""
        parcel = self._outbox.take() if most is None else self._outbox.take(most)
        if not parcel.posted:
            return 0, False
        letters = self._letters(parcel)
        try:
            left = self._publisher.publish([letter for _, letter in letters])
        except BrokerUnavailable:
            self._outbox.put_back(parcel)
            raise
        if left.refused:
            log.error("broker_refuses: %d messages", len(left.refused))
        untried, refused = ([letters[place][0] for place in places] for places in (left.untried, left.refused))
        self._outbox.handed_on(parcel, untried, refused)
        return len(letters) - len(untried) - len(refused), not (untried or refused)

    def _letters(self, parcel: Parcel) -> list[tuple[int, tuple[str, Unsealed]]]:
        """Read what can be read, each with its place; the rest is kept for an operator."""
        letters = []
        for place, posted in enumerate(parcel.posted):
            try:
                letters.append((place, (posted.queue, unseal(posted.entry))))
            except ValueError:
                self._set_aside(f"{parcel.token}-{place}", posted)
        return letters

    def _set_aside(self, stray_id: str, posted: Posted) -> None:
        from smsgate.ledger.strays import Stray, StrayReason  # noqa: PLC0415 - it brings structlog

        now = int(time.time() * 1000)
        self._strays().store(Stray(stray_id, posted.queue, StrayReason.NO_CELERY_MESSAGE, None, now, posted.entry))
        log.warning("stray: %s in %s", stray_id, posted.queue)
