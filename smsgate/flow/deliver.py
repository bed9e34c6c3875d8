"""The worker's step: may it go, claim the attempt, call the provider, settle."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from smsgate.channels.channel import Channel, Submission
from smsgate.errors import StoreUnavailable
from smsgate.flow.brake import Brake
from smsgate.flow.bury import bury
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.patience import ATTEMPTS, MOST_REDELIVERIES, Patience
from smsgate.flow.settle import Attempt, settle
from smsgate.flow.submit import draft, insist_on_a_near_time
from smsgate.gates.expiry import has_expired
from smsgate.ledger.records import Record, Records, Result
from smsgate.ledger.schedule import Schedule
from smsgate.message import Message, MessageId
from smsgate.outcome import Fault, Outcome, Refused, Uncertain, Unsent
from smsgate.states import State

log = structlog.get_logger()

# Milliseconds by which a task may come before its time without being taken for a second copy that jumps the wait.
EARLY: Final = 1_000
# Milliseconds from the claim of an attempt after which the provider is not called any more: this process was frozen
# (SIGSTOP, a suspended machine), and by now others may hold it for dead, and the message for not sent.
HESITATION: Final = 10_000
HESITATED: Final = Unsent("worker_frozen", Fault.PROVIDER)


@dataclass(frozen=True, slots=True)
class Deliver:
    """Take messages from their queue to the provider."""

    records: Records
    schedule: Schedule
    brake: Brake
    channel: Channel
    sign: str
    patience: Patience = field(default_factory=Patience)
    now: Clock = system_clock

    def __call__(self, message_id: MessageId, message: Message, *, redelivered: bool = False) -> None:
        """Try once to send, unless the message is at its end, too old, not yet due, or its lane is paused.

        Raises:
            InvalidMessage: Its time to send lies too far ahead; it had no record yet.
            RetryLater: The attempt surely did not send and another may.
            StoreUnavailable: Redis went away; the task must come again.
        """
        taken = self.records.take(message_id, redelivered=redelivered)
        record = taken.record or self._adopt(message_id, message)
        if taken.redeliveries > MOST_REDELIVERIES:
            bury(self.records, message_id, "poison", now=self.now)
        elif record.state is State.QUEUED:
            self._begin(record)
        elif record.state is State.SENDING and redelivered:
            self._doubt(record)
        else:
            # A second copy of a task in other hands, or of one that is done. Should those hands be dead after all, the
            # attempt's lease runs out.
            log.info("delivery_dropped", state=record.state)

    def _begin(self, record: Record) -> None:
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
        elif not self.brake.lets_pass(record):
            self.schedule.park(record, now=now)
            log.info("delivery_parked", lane=record.lane)
        else:
            self._attempt(record)

    def _attempt(self, record: Record) -> None:
        at = self.now()
        claim = self.records.move(
            record.id,
            State.SENDING,
            at=at,
            fields={"channel": self.channel.name, "lease": self.patience.lease_until(at), "redelivered": 0, "asks": 0},
            detail={"attempt": record.attempts + 1, "channel": self.channel.name},
            attempt=True,
            only_from=State.QUEUED,
            due=self.patience.lease_until(at),
        )
        if claim.result is not Result.MOVED:
            log.info("delivery_dropped", state=claim.before)
            return
        outcome = HESITATED if self.now() - at > HESITATION else self._send(record)
        attempt = Attempt(record, self.channel.name, claim.attempts)
        settle(self.records, attempt, outcome, at=self.now(), patience=self.patience)
        self.brake.learn(record.lane, outcome, began=at)
        if isinstance(outcome, Refused) and outcome.fault is Fault.UNKNOWN:
            self._count(outcome.reason)

    def _count(self, code: str) -> None:
        """Count a code that nobody knows; what it was counted for is settled, whatever Redis says."""
        with suppress(StoreUnavailable):
            self.records.count_unknown_code(code)

    def _adopt(self, message_id: MessageId, message: Message) -> Record:
        """Write a record for a task that another program sent by name; its validity counts from now."""
        record = draft(message, message_id, client="", at=self.now())
        if record.not_before > record.accepted_at:
            insist_on_a_near_time(record)
        self.records.accept(record, task=None)
        return record

    def _send(self, record: Record) -> Outcome:
        message = record.message
        if message is None:
            raise AssertionError("a queued record holds its message")
        submission = Submission(
            id=record.id,
            phone=message.to,
            sign=message.sign or self.sign,
            template=message.template,
            params=message.params,
        )
        try:
            return self.channel.send(submission)
        except Exception as error:  # noqa: BLE001 - the call has begun: whatever broke it, the SMS may be out
            log.error("channel_broke", channel=self.channel.name, error=type(error).__name__)  # noqa: TRY400 - a traceback would show the SDK's URL, with number and code
            return Uncertain(reason=type(error).__name__)

    def _doubt(self, record: Record) -> None:
        """The broker took this task back from a worker that had begun: it died in the call, or is still in it."""
        attempt = Attempt(record, self.channel.name, record.attempts)
        settle(self.records, attempt, Uncertain(reason="worker_lost"), at=self.now(), patience=self.patience)
