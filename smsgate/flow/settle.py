"""Write down how an attempt ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

import structlog

from smsgate.errors import RetryLater
from smsgate.flow.patience import ATTEMPTS, LONGEST_LIMIT, Patience
from smsgate.ledger.records import Record, Records
from smsgate.outcome import MENDABLE, Fault, Outcome, Refused, Sent, Uncertain, Unsent
from smsgate.states import State

log = structlog.get_logger()

# The reason of an attempt whose worker may still be in it.
WORKER_LOST = "worker_lost"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send: `number` counts from 1 over a message's whole life, `record` is how it stood before."""

    record: Record
    channel: str
    number: int

    @property
    def used(self) -> int:
        """Count the attempts of this life, which a replay begins anew."""
        return self.number - ((self.record.budget or ATTEMPTS) - ATTEMPTS)


def settle(records: Records, attempt: Attempt, outcome: Outcome, *, at: int, patience: Patience) -> None:
    """Move the message into the state that the outcome means; `at` in Unix milliseconds.

    That it was sent is true whatever happened since. Any other outcome counts only while this attempt is the latest.

    Raises:
        RetryLater: It was surely not sent and another attempt may succeed in time.
        StoreUnavailable: Redis went away.
    """
    match outcome:
        case Sent(provider_id):
            facts = {"provider_id": provider_id}
            _end(records, attempt, State.SENT, at, facts, due=patience.receipt_due(at))
        case Unsent(reason, fault, wait):
            _put_back(records, attempt, Unsent(reason, fault, wait), at)
        case Refused(reason, fault):
            state = State.DEAD if fault in MENDABLE else State.FAILED
            _end(records, attempt, state, at, {"reason": reason, "fault": fault})
        case Uncertain(reason):
            # The worker that says so itself has ended its call: nobody needs to wait for its lease.
            released = {} if reason == WORKER_LOST else {"lease": at}
            due = patience.next_question(at, 0)
            _end(records, attempt, State.UNCERTAIN, at, {"reason": reason}, due=due, fields=released)
        case _:
            assert_never(outcome)


def _put_back(records: Records, attempt: Attempt, outcome: Unsent, at: int) -> None:
    facts = {"reason": outcome.reason, "fault": outcome.fault}
    wait = outcome.wait or 0.0
    too_long = outcome.fault is Fault.RECIPIENT and wait > LONGEST_LIMIT[attempt.record.lane]
    if too_long or at + wait * 1000 >= attempt.record.valid_until:
        _end(records, attempt, State.FAILED, at, facts)
        return
    _end(records, attempt, State.QUEUED, at, facts)
    raise RetryLater(outcome.reason, outcome.wait, attempt.used)


def _end(  # noqa: PLR0913 - a state with all that belongs to it
    records: Records,
    attempt: Attempt,
    state: State,
    at: int,
    facts: dict[str, Any],
    *,
    due: int | None = None,
    fields: Mapping[str, str | int] | None = None,
) -> None:
    known: dict[str, str | int] = {"reason": facts.get("reason", ""), **(fields or {})}
    if "provider_id" in facts:
        known["provider_id"] = facts["provider_id"]
    move = records.move(
        attempt.record.id,
        state,
        at=at,
        fields=known,
        detail={"channel": attempt.channel, **facts},
        of_attempt=None if state is State.SENT else attempt.number,
        due=due,
    )
    log.info("attempt_ended", state=state, was=move.before, channel=attempt.channel, attempt=attempt.number, **facts)
