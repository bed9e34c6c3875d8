"""Refuse a task that another program sent by name with arguments that are no message."""

from typing import Final

import structlog

from smsgate.errors import InvalidMessage
from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger.records import Event, Record, Records, Result
from smsgate.message import MessageId
from smsgate.states import State

log = structlog.get_logger()

REASON: Final = "invalid_message"


def reject(records: Records, message_id: MessageId, error: InvalidMessage, *, now: Clock = system_clock) -> None:
    """Write a record that says what was wrong, so that the sender can read it under the task id."""
    at = now()
    detail = {"errors": [{"field": one.field, "message": one.message} for one in error.errors]}
    move = records.move(message_id, State.REJECTED, at=at, fields={"reason": REASON}, detail=detail)
    if move.result is Result.MISSING:
        records.accept(_record(message_id, Event(at, State.REJECTED, detail)), slot=None)
    elif move.before is State.SENDING:
        records.move(message_id, State.UNCERTAIN, at=at, fields={"reason": REASON}, detail={"reason": REASON})
    log.error("message_rejected", fields=[one.field for one in error.errors])


def _record(message_id: MessageId, event: Event) -> Record:
    return Record(
        id=message_id,
        message=None,
        client="",
        state=State.REJECTED,
        accepted_at=event.at,
        valid_until=event.at,
        attempts=0,
        reason=REASON,
        channel=None,
        provider_id=None,
        timeline=(event,),
    )
