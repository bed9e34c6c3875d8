"""The last step of a message that is out of attempts."""

from typing import Final

import structlog

from smsgate.errors import FieldError, InvalidMessage
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.reject import reject
from smsgate.ledger.records import Records, Result
from smsgate.message import MessageId
from smsgate.states import State

log = structlog.get_logger()

_UNREADABLE: Final = InvalidMessage(
    [
        FieldError(
            "arguments",
            "must be to, template and params; the rest by name: sign, lane, valid_for, send_at, on_uncertain, "
            "reference, callback_url",
        )
    ]
)


def bury(records: Records, message_id: MessageId, reason: str, *, now: Clock = system_clock) -> None:
    """Mark a message as a dead letter, with the reason that an operator reads.

    One whose attempt had begun may have been sent: that is not dead but uncertain. A task that another program
    sent by name, with arguments that do not fit, has no record yet: it gets one that says so.

    Raises:
        StoreUnavailable: The message stays where it is, and the schedule brings it back.
    """
    facts = {"reason": reason}
    dead = records.move(message_id, State.DEAD, at=now(), fields=facts, detail=facts, only_from=State.QUEUED)
    if dead.before is State.SENDING:
        records.move(message_id, State.UNCERTAIN, at=now(), fields=facts, detail=facts, of_attempt=dead.attempts)
    elif dead.result is Result.MISSING:
        reject(records, message_id, _UNREADABLE, now=now)
    log.error("task_failed", reason=reason, state=dead.before)
