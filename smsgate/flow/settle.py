"""Write down how an attempt ended."""

from dataclasses import dataclass
from typing import Any, Final, assert_never

import structlog

from smsgate.errors import RetryLater
from smsgate.ledger.records import Records
from smsgate.message import MessageId
from smsgate.outcome import MENDABLE, Outcome, Refused, Sent, Uncertain, Unsent
from smsgate.states import State

log = structlog.get_logger()

# A retry waits in a worker's memory: no longer than this many seconds, far below the visibility timeout (300 s),
# after which Redis would hand the task to a second worker.
LONGEST_WAIT: Final = 120.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send: `number` counts from 1, `valid_until` is Unix milliseconds."""

    id: MessageId
    channel: str
    number: int
    valid_until: int


def settle(records: Records, attempt: Attempt, outcome: Outcome, *, at: int) -> None:
    """Move the message into the state that the outcome means; `at` in Unix milliseconds.

    Raises:
        RetryLater: It was surely not sent and another attempt may succeed in time.
        StoreUnavailable: Redis went away.
    """
    match outcome:
        case Sent(provider_id):
            _end(records, attempt, State.SENT, at, provider_id=provider_id)
        case Unsent(reason, fault, wait):
            wait_ms = (wait or 0) * 1000
            if wait_ms > LONGEST_WAIT * 1000 or at + wait_ms >= attempt.valid_until:
                _end(records, attempt, State.FAILED, at, reason=reason, fault=fault)
                return
            _end(records, attempt, State.QUEUED, at, reason=reason, fault=fault)
            raise RetryLater(reason, wait)
        case Refused(reason, fault):
            state = State.DEAD if fault in MENDABLE else State.FAILED
            _end(records, attempt, state, at, reason=reason, fault=fault)
        case Uncertain(reason):
            _end(records, attempt, State.UNCERTAIN, at, reason=reason)
        case _:
            assert_never(outcome)


def _end(records: Records, attempt: Attempt, state: State, at: int, **facts: Any) -> None:
    fields = {"reason": facts.get("reason", "")}
    if "provider_id" in facts:
        fields["provider_id"] = facts["provider_id"]
    records.move(attempt.id, state, at=at, fields=fields, detail={"channel": attempt.channel, **facts})
    log.info("attempt_ended", state=state, channel=attempt.channel, attempt=attempt.number, **facts)
