"""Refuse a task that another program sent by name with arguments that are no message."""

import structlog

from smsgate.errors import InvalidMessage
from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger.records import Event, Record, Records
from smsgate.message import MessageId
from smsgate.states import State

log = structlog.get_logger()


def reject(records: Records, message_id: MessageId, error: InvalidMessage, *, now: Clock = system_clock) -> None:
    """Write a record that says what was wrong, so that the sender can read it under the task id."""
    at = now()
    errors = [{"field": one.field, "message": one.message} for one in error.errors]
    record = Record(
        id=message_id,
        message=None,
        client="",
        state=State.REJECTED,
        accepted_at=at,
        valid_until=at,
        attempts=0,
        reason="invalid_message",
        channel=None,
        provider_id=None,
        timeline=(Event(at, State.REJECTED, {"errors": errors}),),
    )
    records.accept(record, task=None)
    log.error("message_rejected", fields=[one.field for one in error.errors])
