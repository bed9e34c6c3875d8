"""Give back an attempt that nobody was called for: it does not count."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from smsgate.flow.patience import ATTEMPTS
from smsgate.flow.settle import Attempt
from smsgate.ledger.batch import ALONE
from smsgate.ledger.records import Moving, Records, Step
from smsgate.ledger.slots import company
from smsgate.states import State

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Held:
    """No channel can be called for a message before `until` (Unix milliseconds).

    With `in_turn` it waits with others for a channel's rate, where the clients take turns; otherwise for its time.
    """

    reason: str
    until: int
    in_turn: bool = False


def hold(records: Records, attempts: Sequence[Attempt], held: Held, *, at: int) -> None:
    """Put messages back that were claimed and not tried; `at` in Unix milliseconds.

    Raises:
        StoreUnavailable: Those that were not put back are found by their leases.
    """
    log.info("attempts_held", messages=len(attempts), reason=held.reason, ms=held.until - at)
    if held.in_turn and len(attempts) == 1:
        _queue_up(records, attempts[0], held, at)
        return
    steps: dict[int, list[Moving]] = {}
    for attempt in attempts:
        due = min(held.until, attempt.record.valid_until)
        steps.setdefault(_budget(attempt), []).append(Moving(attempt.record.id, attempt.number, due))
    for budget, moving in steps.items():
        fields = {"budget": budget, **({"not_before": held.until} if held.until > at else {})}
        records.move_all(moving, Step(State.QUEUED, at, fields, {"reason": held.reason}))


def _queue_up(records: Records, attempt: Attempt, held: Held, at: int) -> None:
    """Have one wait among those of its client, which take turns with those of others."""
    record = replace(attempt.record, gathers=attempt.record.gathers or ALONE)
    records.move(
        record.id,
        State.QUEUED,
        at=at,
        fields={"budget": _budget(attempt)},
        detail={"reason": held.reason},
        of_attempt=attempt.number,
        due=record.valid_until,
        slot=company(record),
    )


def _budget(attempt: Attempt) -> int:
    return (attempt.record.budget or ATTEMPTS) + 1
