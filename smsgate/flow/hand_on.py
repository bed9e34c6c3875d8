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

from smsgate.broker.publisher import LONGEST, Publisher
from smsgate.errors import BrokerUnavailable, StoreUnavailable
from smsgate.ledger.envelope import Unsealed, unseal
from smsgate.ledger.outbox import MOST, Outbox, Parcel, Posted
from smsgate.queues import Queue

if TYPE_CHECKING:
    from smsgate.ledger.strays import Strays

# Not structlog: a program that calls `.delay()` comes here too, and does without.
log: Final = logging.getLogger(__name__)

# Entries of each queue that are handed on by whoever is being waited for, and seconds after which he begins with no
# more; when many wait, or the broker is slow, the chore sees to them.
FEW: Final = 20
_BRIEFLY: Final = 0.5
# Seconds for which whoever is being waited for waits for another who hands on: so long after that one has begun nobody
# waits for him any more.
_PATIENCE: Final = 0.5
# Seconds for which nobody who is being waited for tries again what has just failed; or for as long as it took, where
# that was longer: a broker that is slow without being away would take all the time there is.
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
        self._began_at: float | None = None

    def at_once(self) -> None:
        """Hand on what was just accepted, perhaps with others'; where that fails it is left to the chore."""
        if not self._has_turn():
            return
        began, is_all = time.monotonic(), False
        self._began_at = began
        try:
            _, is_all = self._some(FEW, _BRIEFLY)
        except (BrokerUnavailable, StoreUnavailable) as error:
            log.warning("not_handed_on: %s", error)
        finally:
            took = time.monotonic() - began
            if not is_all or took > _PATIENCE:
                self._resume_at = began + took + max(_PAUSE, took)
            self._began_at = None
            self._one_at_a_time.release()

    def _has_turn(self) -> bool:
        """Wait for one's turn, but for nobody whose own takes long."""
        now, began = time.monotonic(), self._began_at
        patience = _PATIENCE if began is None else began + _PATIENCE - now
        if now < self._resume_at or patience <= 0 or not self._one_at_a_time.acquire(timeout=patience):
            return False
        # Whoever had its turn meanwhile may have failed.
        if time.monotonic() < self._resume_at:
            self._one_at_a_time.release()
            return False
        return True

    def __call__(self, seconds: float) -> int:
        """Hand on all there is, for so many seconds at most; returns how many, and notes how many the broker holds.

        Raises:
            BrokerUnavailable: It is away; what was not handed on stays in the outbox.
            StoreUnavailable: Redis is away.
        """
        began, total = time.monotonic(), 0
        with self._one_at_a_time:
            while time.monotonic() < began + seconds:
                handed_on, _ = self._some()
                total += handed_on
                if not handed_on:
                    break
            if time.monotonic() < began + LONGEST:  # one that is so slow is asked the next time: a chore has its limits
                self._outbox.note_at_broker(self._publisher.waiting_in(Queue))
        return total

    def waiting_in(self, queue: Queue) -> int:
        """Ask the broker how many tasks wait in a queue.

        Raises:
            BrokerUnavailable: It did not answer.
        """
        with self._one_at_a_time:
            counts = self._publisher.waiting_in([queue])
        if queue not in counts:
            raise BrokerUnavailable(f"broker: does not let us ask about {queue}; see how it was declared there")
        return counts[queue]

    def _some(self, most: int = MOST, seconds: float = LONGEST) -> tuple[int, bool]:
        """Hand on one parcel; returns how many were, and whether these were all."""
        parcel = self._outbox.take(most)
        if not parcel.posted:
            return 0, True
        letters = self._letters(parcel)
        try:
            left = self._publisher.publish([letter for _, letter in letters], seconds)
        except BrokerUnavailable:
            # What was set aside stays there: put back, it would be set aside again by every try.
            self._outbox.put_back(parcel, but=set(range(len(parcel.posted))) - {place for place, _ in letters})
            raise
        if left.refused:
            queues = ", ".join(sorted({parcel.posted[letters[place][0]].queue for place in left.refused}))
            log.error("broker_refuses: %d messages of %s", len(left.refused), queues)
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
