"""The worker's step: may it go, claim the attempt, call the provider, settle."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from smsgate.flow.brake import Brake
from smsgate.flow.bury import bury
from smsgate.flow.carry import Carry
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.hold import Held, hold
from smsgate.flow.patience import ATTEMPTS, MOST_REDELIVERIES, Patience
from smsgate.flow.settle import Attempt, count_unknown, settle
from smsgate.flow.submit import draft, insist_on_a_near_time
from smsgate.flow.ways import Plan, Ways
from smsgate.gates.expiry import has_expired
from smsgate.ledger.aside import Aside
from smsgate.ledger.record import Beginning, Begun, Claim
from smsgate.ledger.records import Record, Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Lane, Message, MessageId
from smsgate.outcome import Fault, Outcome, Refused, Uncertain
from smsgate.states import State

log = structlog.get_logger()

# Milliseconds by which a task may come before its time without being taken for a second copy that jumps the wait.
EARLY: Final = 1_000


@dataclass(frozen=True, slots=True)
class Deliver:
    """Take messages from their queue to the provider."""

    records: Records
    schedule: Schedule
    brake: Brake
    ways: Ways
    carry: Carry
    patience: Patience = field(default_factory=Patience)
    now: Clock = system_clock
    aside: Aside | None = None  # for messages of paused clients and templates

    def __call__(
        self, message_id: MessageId, lane: Lane, read: Callable[[], Message], *, redelivered: bool = False
    ) -> None:
        """Try once to send, unless the message is at its end, too old, not yet due, or its lane is paused.

        `read` makes a message of the task's arguments, for one that has no record yet: another program sent it.

        Raises:
            InvalidMessage: They are no message, or its time to send lies too far ahead.
            RetryLater: The attempt surely did not send and another may.
            StoreUnavailable: Redis went away; the task must come again.
        """
        at, plan = self.now(), self.ways.plan(lane, read)
        goes = self.brake.is_off(lane) and plan.until is None and not (self.aside and self.aside.is_in_use())
        claim = self._claim(plan, at) if goes else None
        begun = self._begin(message_id, lane, read, claim, redelivered=redelivered)
        record = begun.record
        if record is None:
            raise AssertionError("a message without a record has been given one")
        if begun.beginning is Beginning.CLAIMED:
            self._attempt(record, begun, plan, at)
        elif begun.redeliveries > MOST_REDELIVERIES:
            bury(self.records, message_id, "poison", now=self.now)
        elif record.state is State.QUEUED:
            self._hold_back(record, plan)
        elif record.state is State.SENDING and redelivered:
            self._doubt(record)
        else:
            # A second copy of a task in other hands, or of one that is done. Should those hands be dead after all, the
            # attempt's lease runs out.
            log.info("delivery_dropped", state=record.state)

    def _begin(
        self, message_id: MessageId, lane: Lane, read: Callable[[], Message], claim: Claim | None, *, redelivered: bool
    ) -> Begun:
        """Read the record and claim the attempt in one act, unless the lane is paused or no channel may be called."""
        begun = self.records.begin(message_id, lane, redelivered=redelivered, claim=claim)
        if begun.beginning is not Beginning.MISSING:
            return begun
        self._adopt(message_id, read())
        again = self.records.begin(
            message_id,
            lane,
            redelivered=False,
            claim=claim if begun.redeliveries <= MOST_REDELIVERIES else None,
        )
        return replace(again, redeliveries=begun.redeliveries)

    def _claim(self, plan: Plan, at: int) -> Claim:
        lease = self.patience.lease_until(at)
        return Claim(at, at + EARLY, lease, plan.channels, ATTEMPTS, MOST_REDELIVERIES, plan.turns)

    def _hold_back(self, record: Record, plan: Plan) -> None:
        """See to a message that could not be claimed at once: it is too old, too early, out of attempts, or paused."""
        now = self.now()
        if has_expired(record.valid_until, now):
            facts = {"reason": "expired"}
            self.records.move(record.id, State.EXPIRED, at=now, fields=facts, only_from=State.QUEUED)
        elif record.not_before > now + EARLY:
            # A second copy, or a task from a host whose clock is ahead: it comes again when its time has come here.
            self.schedule.until(record, record.not_before)
            log.info("delivery_early", not_before=record.not_before)
        elif record.attempts >= (record.budget or ATTEMPTS):
            bury(self.records, record.id, record.reason or "attempts_used_up", now=self.now)
        elif self.aside and self.aside.takes(record):
            log.info("delivery_set_aside", lane=record.lane)
        elif plan.until is not None or not self.brake.lets_pass(record):
            self.schedule.park(record, now=now)
            log.info("delivery_parked", lane=record.lane, no_channel_until=plan.until)
        else:
            self._probe(record, plan, now)

    def _probe(self, record: Record, plan: Plan, at: int) -> None:
        """Try a message that may go all the same: as the probe of its lane, or because others are meant by a pause."""
        begun = self.records.begin(record.id, record.lane, redelivered=False, claim=self._claim(plan, at))
        if begun.beginning is Beginning.CLAIMED:
            self._attempt(record, begun, plan, at)
        else:
            log.info("delivery_dropped", state=begun.record and begun.record.state)

    def _attempt(self, record: Record, begun: Begun, plan: Plan, at: int) -> None:
        attempt = Attempt(record, begun.channel, begun.attempts)
        for _, ways in self.ways.by([record], plan, begun.channel):
            for (ended,), outcome in self.carry([attempt], ways, began=at):
                self._end(ended, outcome, at)

    def _end(self, attempt: Attempt, outcome: Outcome | Held, began: int) -> None:
        if isinstance(outcome, Held):
            hold(self.records, [attempt], outcome, at=self.now())
            return
        settle(self.records, attempt, outcome, at=self.now(), patience=self.patience)
        self.brake.learn(attempt.record.lane, outcome, began=began)
        if isinstance(outcome, Refused) and outcome.fault is Fault.UNKNOWN:
            count_unknown(self.records, outcome.reason)

    def _adopt(self, message_id: MessageId, message: Message) -> None:
        """Write a record for a task that another program sent by name; its validity counts from now."""
        record = draft(message, message_id, client="", at=self.now())
        if record.not_before > record.accepted_at:
            insist_on_a_near_time(record)
        self.records.accept(record, slot=None)

    def _doubt(self, record: Record) -> None:
        """The broker took this task back from a worker that had begun: it died in the call, or is still in it."""
        attempt = Attempt(record, record.channel or "", record.attempts)
        settle(self.records, attempt, Uncertain(reason="worker_lost"), at=self.now(), patience=self.patience)
