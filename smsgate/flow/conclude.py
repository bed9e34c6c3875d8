"""Write down a provider's last word on a message, whether it was pushed to us or asked for."""

from collections.abc import Sequence

import structlog

from smsgate.ledger.records import Moving, Record, Records, Result, Step
from smsgate.receipt import Receipt
from smsgate.states import State

log = structlog.get_logger()

Told = tuple[Record, Receipt]


def conclude(records: Records, record: Record, receipt: Receipt, *, at: int) -> bool:
    """Move a message to the end that its receipt tells; False when it stays where it is. `at` in Unix milliseconds.

    Raises:
        StoreUnavailable: The same call may be made again.
    """
    return bool(conclude_all(records, [(record, receipt)], at=at))


def conclude_all(records: Records, told: Sequence[Told], *, at: int) -> list[Told]:
    """Move messages to the ends that their receipts tell, in one round trip; returns those that moved.

    A message that no attempt was made for cannot have arrived: such a receipt is somebody else's.

    Raises:
        StoreUnavailable: Some may have been moved; the same call may be made again.
    """
    due = [(record, receipt) for record, receipt in told if _may_have_arrived(record)]
    steps = [(Moving(record.id), _step(record, receipt, at)) for record, receipt in due]
    moves = records.move_each(steps)
    for (moving, step), move in zip(steps, moves, strict=True):
        if move.result is not Result.MOVED:
            log.info("receipt_ignored", message_id=moving.id, state=move.before, reported=step.to)
    return [one for one, move in zip(due, moves, strict=True) if move.result is Result.MOVED]


def _may_have_arrived(record: Record) -> bool:
    if record.attempts or record.state in (State.SENDING, State.SENT, State.UNCERTAIN):
        return True
    log.warning("receipt_without_attempt", message_id=record.id, state=record.state)
    return False


def _step(record: Record, receipt: Receipt, at: int) -> Step:
    state = State.DELIVERED if receipt.delivered else State.UNDELIVERED
    fields = {"reason": receipt.reason or "", "provider_id": _provider_id(record, receipt)}
    return Step(state, at, fields, _facts(receipt))


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
