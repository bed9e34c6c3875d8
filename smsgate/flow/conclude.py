"""Write down a provider's last word on a message, whether it was pushed to us or asked for."""

import structlog

from smsgate.ledger.records import Record, Records, Result
from smsgate.receipt import Receipt
from smsgate.states import State

log = structlog.get_logger()


def conclude(records: Records, record: Record, receipt: Receipt, *, at: int) -> bool:
    """Move a message to the end that its receipt tells; False when it stays where it is. `at` in Unix milliseconds.

    A message that no attempt was made for cannot have arrived: such a receipt is somebody else's.
    """
    state = State.DELIVERED if receipt.delivered else State.UNDELIVERED
    if record.attempts == 0 and record.state not in (State.SENDING, State.SENT, State.UNCERTAIN):
        log.warning("receipt_without_attempt", message_id=record.id, state=record.state)
        return False
    move = records.move(
        record.id,
        state,
        at=at,
        fields={"reason": receipt.reason or "", "provider_id": _provider_id(record, receipt)},
        detail=_facts(receipt),
    )
    if move.result is not Result.MOVED:
        log.info("receipt_ignored", message_id=record.id, state=move.before, reported=state)
    return move.result is Result.MOVED


def _provider_id(record: Record, receipt: Receipt) -> str:
    """Keep the id that the provider answered with when the message was sent."""
    if record.provider_id and receipt.provider_id not in ("", record.provider_id):
        log.warning("receipt_of_another_provider_id", message_id=record.id)
    return record.provider_id or receipt.provider_id


def _facts(receipt: Receipt) -> dict[str, object]:
    facts = {
        "code": receipt.code,
        "reason": receipt.reason,
        "reported_at": receipt.reported_at,
        "segments": receipt.segments,
    }
    return {name: value for name, value in facts.items() if value is not None}
