"""Give a dead letter up for good."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger.dead_letters import DeadLetters, Filter
from smsgate.ledger.records import Records, Result
from smsgate.message import MessageId
from smsgate.states import State

log = structlog.get_logger()

_PAGE: Final = 1_000


class Dropped(StrEnum):
    """What came of dropping a letter."""

    DROPPED = "dropped"  # it is cancelled, now or since an earlier call
    NOT_DEAD = "not_dead"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Drop:
    """Cancel dead letters."""

    records: Records
    letters: DeadLetters
    now: Clock = system_clock

    def __call__(self, message_id: MessageId) -> Dropped:
        """Drop one letter: it is kept for the retention as a cancelled message, and cannot be replayed.

        Raises:
            StoreUnavailable: The same call may be made again.
        """
        detail = {"dropped": True}
        move = self.records.move(message_id, State.CANCELLED, at=self.now(), detail=detail, only_from=State.DEAD)
        if move.result is Result.MISSING:
            return Dropped.MISSING
        if move.result is Result.MOVED:
            log.info("dead_letter_dropped", message_id=message_id)
        is_there = move.result is Result.MOVED or move.before is State.CANCELLED
        return Dropped.DROPPED if is_there else Dropped.NOT_DEAD

    def matching(self, which: Filter) -> int:
        """Drop every letter that fits; returns how many.

        Raises:
            StoreUnavailable: Some may have been dropped; the same call may be made again.
        """
        dropped, cursor = 0, None
        while True:
            page = self.letters.page(which, limit=_PAGE, cursor=cursor)
            dropped += sum(self(letter.id) is Dropped.DROPPED for letter in page.letters)
            cursor = page.next
            if cursor is None:
                return dropped
