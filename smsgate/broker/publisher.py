"""Puts messages into the queues of a broker, by kombu's own publisher; and asks how many wait there."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from smsgate.broker.line import Dropped, Line, Refused
from smsgate.errors import BrokerUnavailable
from smsgate.ledger.envelope import Unsealed
from smsgate.queues import Queue

# Refused one by one before a queue counts as one that takes nothing now.
_MOST_REFUSED: Final = 3
# Seconds after which no further message is begun with: with the one in hand, and a connection to be made anew, whoever
# publishes must end before others take what he has for a dead man's (see outbox.LEASE), and before his time limits.
LONGEST: Final = 8.0


@dataclass(frozen=True, slots=True)
class Left:
    """Places of messages that were not published: those that the broker refuses, and those that were not tried."""

    refused: Sequence[int] = ()
    untried: Sequence[int] = ()


class Publisher:
    """One connection to a broker, for one thread at a time."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        """Take the broker's URL, and what its transport is given besides what we know of its kind."""
        self._line = Line(url, options)
        # How many of those being published, from the first on, have surely arrived.
        self._arrived = 0

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return self._line.shown

    def publish(self, posted: Sequence[tuple[str, Unsealed]], seconds: float = LONGEST) -> Left:
        """Publish messages to queues, in this order; says what was not.

        After `seconds` no more are begun with: a broker may be slow without being away.

        Raises:
            BrokerUnavailable: None, some or all of them have arrived.
        """
        until, self._arrived = time.monotonic() + seconds, 0
        try:
            return self._twice(posted, until)
        except (Refused, Dropped):
            # It is there, and refuses something, or hangs up on it: the others must not wait for that.
            return self._one_by_one(posted, until)
        except BrokerUnavailable:
            if not self._arrived:
                raise
            return Left(untried=range(self._arrived, len(posted)))

    def waiting_in(self, queues: Iterable[Queue]) -> dict[Queue, int]:
        """Ask how many messages wait in each queue; a kind of broker that cannot count says 0.

        A queue that it does not let us ask about is left out.

        Raises:
            BrokerUnavailable: It did not answer.
        """
        return {queue: count for queue in queues if (count := self._count(queue)) is not None}

    def close(self) -> None:
        """Let go of the connection; the next call makes another."""
        self._line.close()

    def _count(self, queue: Queue) -> int | None:
        try:
            return int(self._line.declare(queue).message_count or 0)
        except Exception as error:  # noqa: BLE001 - see Line.lost
            lost = self._line.lost(error)
            if isinstance(lost, Refused):
                return None
            raise lost from None

    def _twice(self, posted: Sequence[tuple[str, Unsealed]], until: float) -> Left:
        """Try all; and once more where the connection was old, or went: the broker may have closed what idled."""
        was_open = self._line.is_open
        try:
            return self._all(posted, until)
        except Refused:
            raise
        except BrokerUnavailable as error:
            if not (was_open or isinstance(error, Dropped)) or time.monotonic() >= until:
                raise
        return self._all(posted, until)

    def _all(self, posted: Sequence[tuple[str, Unsealed]], until: float) -> Left:
        """Publish what has not arrived."""
        begun, arrives_at_once = self._arrived, False
        try:
            producer = self._line.ready()
            arrives_at_once = self._line.takes_each_at_once
            for queue in dict.fromkeys(queue for queue, _ in posted[begun:]):
                if not self._line.has_declared(queue):
                    self._line.declare(queue)
            with producer.batch():
                for queue, message in posted[begun:]:
                    if begun > self._arrived and time.monotonic() >= until:
                        break
                    begun += 1
                    self._line.put(queue, message)
        except Exception as error:  # noqa: BLE001 - see Line.lost
            is_putting = begun > self._arrived
            if arrives_at_once and is_putting:
                self._arrived = begun - 1
            raise self._line.lost(error, is_putting=is_putting) from None
        return Left(untried=range(begun, len(posted)))

    def _one_by_one(self, posted: Sequence[tuple[str, Unsealed]], until: float) -> Left:
        """Find out which it takes. What it refuses of one queue (full, or not ours to fill) must not hold up others."""
        refused, untried, of_queue = list[int](), list[int](), Counter[str]()
        for place in range(self._arrived, len(posted)):
            queue, _ = posted[place]
            if of_queue[queue] == _MOST_REFUSED or time.monotonic() >= until:
                untried.append(place)
                continue
            self._arrived = 0
            try:
                self._all([posted[place]], until)
            except (Refused, Dropped):
                refused.append(place)
                of_queue[queue] += 1
            except BrokerUnavailable:
                return Left(refused, [*untried, *range(place, len(posted))])
        return Left(refused, untried)
