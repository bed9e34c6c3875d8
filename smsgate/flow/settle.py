"""Write down how attempts ended."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

import structlog

from smsgate.errors import RetryLater, StoreUnavailable
from smsgate.flow.patience import ATTEMPTS, LONGEST_LIMIT, Patience
from smsgate.ledger.records import Moving, Record, Records, Step
from smsgate.outcome import MENDABLE, Fault, Outcome, Refused, Sent, Uncertain, Unsent
from smsgate.states import State

log = structlog.get_logger()

# The reason of an attempt whose worker may still be in it.
WORKER_LOST = "worker_lost"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send: `number` counts from 1 over a message's whole life."""

    record: Record
    channel: str
    number: int

    @property
    def used(self) -> int:
        """Count the attempts of this life, which a replay begins anew."""
        return self.number - ((self.record.budget or ATTEMPTS) - ATTEMPTS)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an outcome means for a message: its state, what is told of it, and when it needs a look (Unix ms)."""

    state: State
    facts: Mapping[str, str]
    due: int | None = None
    fields: Mapping[str, str | int] = field(default_factory=dict)

    def step(self, channel: str, at: int) -> Step:
        told = {name: self.facts[name] for name in ("provider_id",) if name in self.facts}
        known = {"reason": self.facts.get("reason", ""), **told, **self.fields}
        return Step(self.state, at, known, {"channel": channel, **self.facts})

    def moving(self, attempt: Attempt) -> Moving:
        """That it was sent is true whatever happened since; anything else counts while this attempt is the latest."""
        of_attempt = None if self.state is State.SENT else attempt.number
        return Moving(attempt.record.id, of_attempt, self.due)


def settle(records: Records, attempt: Attempt, outcome: Outcome, *, at: int, patience: Patience) -> None:
    """Move the message into the state that the outcome means; `at` in Unix milliseconds.

    Raises:
        RetryLater: It was surely not sent and another attempt may succeed in time.
        StoreUnavailable: Redis went away.
    """
    verdict = verdict_on(attempt, outcome, at=at, patience=patience)
    move = records.move_all([verdict.moving(attempt)], verdict.step(attempt.channel, at))[0]
    told = {"state": verdict.state, "was": move.before, "attempt": attempt.number, **verdict.facts}
    log.info("attempt_ended", channel=attempt.channel, **told)
    if isinstance(outcome, Unsent) and verdict.state is State.QUEUED:
        raise RetryLater(outcome.reason, outcome.wait, attempt.used)


def settle_all(
    records: Records, attempts: Sequence[Attempt], outcome: Outcome, *, at: int, patience: Patience
) -> Counter[State]:
    """Move messages that left together; returns how many went into which state. `at` in Unix milliseconds.

    What may succeed later waits in the ledger, with the pauses that Celery's autoretry gives a single message; what is
    out of attempts is a dead letter.

    Raises:
        StoreUnavailable: Redis went away; some may have been moved.
    """
    pauses: dict[int, int] = {}
    steps: dict[str, tuple[Step, list[Moving]]] = {}
    counts: Counter[State] = Counter()
    for attempt in attempts:
        verdict = verdict_on(attempt, outcome, at=at, patience=patience)
        if verdict.state is State.QUEUED:
            pause = pauses.setdefault(attempt.used, patience.pause_after(attempt.used))
            verdict = _put_off(verdict, attempt, outcome, at=at, pause=pause)
        step = verdict.step(attempt.channel, at)
        steps.setdefault(f"{step.to} {step.fields}", (step, []))[1].append(verdict.moving(attempt))
        counts[verdict.state] += 1
    for step, moving in steps.values():
        records.move_all(moving, step)
    return counts


def _put_off(verdict: Verdict, attempt: Attempt, outcome: Outcome, *, at: int, pause: int) -> Verdict:
    if attempt.used >= ATTEMPTS:
        return replace(verdict, state=State.DEAD)
    named = outcome.wait if isinstance(outcome, Unsent) else None
    again = at + (pause if named is None else int(named * 1000))
    return replace(verdict, due=min(again, attempt.record.valid_until), fields={"not_before": again})


def verdict_on(attempt: Attempt, outcome: Outcome, *, at: int, patience: Patience) -> Verdict:
    """Say what an outcome means for a message; `at` in Unix milliseconds."""
    match outcome:
        case Sent(provider_id):
            return Verdict(State.SENT, {"provider_id": provider_id}, patience.receipt_due(at))
        case Unsent(reason, fault, wait):
            return _unsent(attempt, Unsent(reason, fault, wait), at)
        case Refused(reason, fault):
            state = State.DEAD if fault in MENDABLE else State.FAILED
            return Verdict(state, {"reason": reason, "fault": fault})
        case Uncertain(reason):
            # The worker that says so itself has ended its call: nobody needs to wait for its lease.
            released: dict[str, Any] = {} if reason == WORKER_LOST else {"lease": at}
            return Verdict(State.UNCERTAIN, {"reason": reason}, patience.next_question(at, 0), released)
        case _:
            assert_never(outcome)


def _unsent(attempt: Attempt, outcome: Unsent, at: int) -> Verdict:
    wait = outcome.wait or 0.0
    too_long = outcome.fault is Fault.RECIPIENT and wait > LONGEST_LIMIT[attempt.record.lane]
    in_vain = too_long or at + wait * 1000 >= attempt.record.valid_until
    return Verdict(State.FAILED if in_vain else State.QUEUED, {"reason": outcome.reason, "fault": outcome.fault})


def count_unknown(records: Records, code: str) -> None:
    """Count a code that nobody knows; what it was counted for is settled, whatever Redis says."""
    with suppress(StoreUnavailable):
        records.count_unknown_code(code)
