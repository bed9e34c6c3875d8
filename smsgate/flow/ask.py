"""Ask the provider what became of a message: it is asked, not guessed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

import structlog

from smsgate.channels.channel import Inquiry
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.conclude import conclude
from smsgate.flow.patience import ATTEMPTS, ENOUGH_ASKED, Patience
from smsgate.flow.settle import WORKER_LOST
from smsgate.flow.standing import Blocked
from smsgate.flow.submit import slot_of
from smsgate.flow.watch import Watch
from smsgate.flow.ways import Ways
from smsgate.gates.expiry import has_expired
from smsgate.ledger.batch import ALONE
from smsgate.ledger.records import Record, Records
from smsgate.ledger.schedule import Schedule
from smsgate.ledger.slots import Slot
from smsgate.message import MessageId, OnUncertain
from smsgate.outcome import Fault
from smsgate.receipt import Receipt
from smsgate.routing.breaker import ASK
from smsgate.routing.traffic import Traffic
from smsgate.states import ASKED_ABOUT, State
from smsgate.trace import Known, NoAnswer, Trace, Unknown

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ask:
    """Settle what is uncertain, and what was sent and never reported."""

    records: Records
    schedule: Schedule
    ways: Ways
    watch: Watch
    patience: Patience = field(default_factory=Patience)
    now: Clock = system_clock

    def __call__(self, message_id: MessageId) -> None:
        """Ask once about a message, unless it has moved on.

        Raises:
            StoreUnavailable: Redis went away; the message is due again.
        """
        record = self.records.read(message_id)
        if record is None or record.message is None or record.state not in ASKED_ABOUT:
            # It does not belong among the questions, if it stands there at all.
            self.schedule.restore([message_id], self.now())
            return
        trace = self._find(record)
        if trace is None:
            return
        log.info("provider_asked", state=record.state, knows=type(trace).__name__, asked=record.asks + 1)
        if record.state is State.UNCERTAIN:
            self._resolve(record, trace)
        else:
            self._remind(record, trace)

    def _find(self, record: Record) -> Trace | None:
        """Ask; None where the channel is left alone for now, and the question waits."""
        if record.message is None:
            raise AssertionError("only messages are asked about")
        way = self.ways.named(record.channel)
        if way is None:
            log.error("channel_not_declared", channel=record.channel, fix="declare it until its messages have ended")
            return NoAnswer("channel_not_declared", Fault.CONFIGURATION)
        times = record.attempted_at or (record.accepted_at,)
        admission = self.watch.admit(way.name, ASK)
        if isinstance(admission, Blocked):
            self.schedule.ask_again(record, admission.until_ms, asks=record.asks)
            return None
        inquiry = Inquiry(record.id, record.message.to, times[0], times[-1], record.chunks)
        return self.watch.call(way.name, Traffic.of(record.lane), lambda: way.channel.find(inquiry), ASK)

    def _resolve(self, record: Record, trace: Trace) -> None:
        """Find out about an attempt that may have been sent."""
        match trace:
            case Known(receipt):
                self._known(record, receipt)
            case Unknown():
                self._unknown(record)
            case NoAnswer(reason):
                self._unanswered(record, reason)
            case _:
                assert_never(trace)

    def _known(self, record: Record, receipt: Receipt | None) -> None:
        if receipt is not None:
            conclude(self.records, record, receipt, at=self.now())
            return
        facts = {"channel": record.channel, "asked": True}
        self._move(record, State.SENT, facts, due=self.patience.receipt_due(self.now()))

    def _unknown(self, record: Record) -> None:
        if self._is_settled(record):
            self._send_again(record, "unknown_to_provider")
        else:
            self._ask_again(record)

    def _unanswered(self, record: Record, why: str) -> None:
        policy = record.message.on_uncertain if record.message else OnUncertain.HOLD
        log.warning("provider_did_not_answer", reason=why, asked=record.asks + 1)
        if policy is OnUncertain.RESEND and record.asks + 1 >= ENOUGH_ASKED and self._is_settled(record):
            self._send_again(record, "provider_silent")
        elif self.now() >= self.patience.given_up_at(self._attempted_at(record)):
            self._move(record, State.DEAD, {"reason": "uncertain", "why": why})
        else:
            self._ask_again(record)

    def _send_again(self, record: Record, why: str) -> None:
        now = self.now()
        if has_expired(record.valid_until, now):
            self._move(record, State.EXPIRED, {"reason": why})
        elif record.attempts >= (record.budget or ATTEMPTS):
            self._move(record, State.DEAD, {"reason": why})
        else:
            self._move(record, State.QUEUED, {"reason": why}, due=record.valid_until, slot=_slot_of(record))

    def _is_settled(self, record: Record) -> bool:
        """Say whether the provider would know by now of an attempt, and no worker can still be in it."""
        return self.now() >= max(self.patience.settled_at(self._attempted_at(record)), record.lease)

    def _attempted_at(self, record: Record) -> int:
        return record.attempted_at[-1] if record.attempted_at else record.accepted_at

    def _ask_again(self, record: Record) -> None:
        now, settled = self.now(), self.patience.settled_at(self._attempted_at(record))
        next_time = self.patience.next_question(now, record.asks + 1)
        # Not later than the moment from which the answer decides.
        decisive = max(settled, record.lease)
        at = min(next_time, decisive) if decisive > now else next_time
        self.schedule.ask_again(record, at, asks=record.asks + 1)

    def _remind(self, record: Record, trace: Trace) -> None:
        """Find out about a message that was sent, and of which nothing was heard."""
        match trace:
            case Known(receipt=Receipt() as receipt):
                conclude(self.records, record, receipt, at=self.now())
            case Known() | Unknown() | NoAnswer():
                self._wait_for_receipt(record)
            case _:
                assert_never(trace)

    def _wait_for_receipt(self, record: Record) -> None:
        now = self.now()
        end = self.patience.given_up_at(self._attempted_at(record))
        if now >= end:
            self._move(record, State.UNDELIVERED, {"reason": "no_receipt"})
        else:
            at = min(self.patience.next_reminder(now, record.asks + 1), end)
            self.schedule.ask_again(record, at, asks=record.asks + 1)

    def _move(
        self,
        record: Record,
        to: State,
        facts: Mapping[str, object],
        *,
        due: int | None = None,
        slot: Slot | None = None,
    ) -> None:
        """Move a message for the attempt that was asked about; a later one knows better."""
        self.records.move(
            record.id,
            to,
            at=self.now(),
            fields={"reason": str(facts.get("reason", "")), "asks": 0},
            detail=facts,
            only_from=record.state,
            of_attempt=record.attempts,
            due=due,
            slot=slot,
        )


def _slot_of(record: Record) -> Slot:
    """Say where a message waits that goes again: after a chunk that was lost with its worker, alone.

    One of the chunk may have killed it. Together it would kill the next, and cost the others an attempt each time.
    """
    is_suspect = record.gathers is not None and record.reason == WORKER_LOST
    return slot_of(replace(record, gathers=ALONE) if is_suspect else record)
