"""Call a message back that nobody has begun to send."""

from dataclasses import dataclass
from enum import StrEnum

import structlog

from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger.records import Records, Result
from smsgate.message import MessageId
from smsgate.states import State

log = structlog.get_logger()


class Called(StrEnum):
    """What came of calling a message back."""

    BACK = "back"  # it is cancelled, now or since an earlier call
    TOO_LATE = "too_late"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What came of it, and where the message stands; None for one that is not there."""

    called: Called
    state: State | None


def cancel(records: Records, message_id: MessageId, *, now: Clock = system_clock) -> Cancellation:
    """Cancel a message that waits: for its task, its time, its next attempt or its lane.

    One in a worker's hands may be sent at this moment, and one that is uncertain may have been: too late for both. Its
    task may still be queued; a worker finds it cancelled and does nothing.

    Raises:
        StoreUnavailable: The same call may be made again.
    """
    move = records.move(message_id, State.CANCELLED, at=now(), fields={"reason": ""}, only_from=State.QUEUED)
    if move.result is Result.MISSING:
        return Cancellation(Called.MISSING, None)
    if move.result is Result.MOVED or move.before is State.CANCELLED:
        log.info("message_cancelled", message_id=message_id)
        return Cancellation(Called.BACK, State.CANCELLED)
    return Cancellation(Called.TOO_LATE, move.before)
