"""The worker's step: may it go, claim the attempt, call the provider, settle."""

from dataclasses import dataclass

import structlog

from smsgate.channels.channel import Channel, Submission
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.settle import Attempt, settle
from smsgate.flow.submit import draft
from smsgate.gates.expiry import has_expired
from smsgate.ledger.records import Record, Records, Result
from smsgate.message import Message, MessageId
from smsgate.outcome import Outcome, Uncertain
from smsgate.states import State

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Deliver:
    """Take messages from their queue to the provider."""

    records: Records
    channel: Channel
    sign: str
    now: Clock = system_clock

    def __call__(self, message_id: MessageId, message: Message) -> None:
        """Try once to send, unless the message has been sent, cancelled or has expired.

        Raises:
            RetryLater: The attempt surely did not send and another may.
            StoreUnavailable: Redis went away; the task must come again.
        """
        record = self.records.read(message_id) or self._adopt(message_id, message)
        if record.state is State.QUEUED and has_expired(record.valid_until, self.now()):
            self.records.move(message_id, State.EXPIRED, at=self.now(), fields={"reason": "expired"})
            return
        claim = self.records.move(
            message_id,
            State.SENDING,
            at=self.now(),
            fields={"channel": self.channel.name},
            detail={"attempt": record.attempts + 1, "channel": self.channel.name},
            attempt=True,
        )
        if claim.result is Result.MOVED:
            outcome = self._send(message_id, message)
            attempt = Attempt(message_id, self.channel.name, claim.attempts, record.valid_until)
            settle(self.records, attempt, outcome, at=self.now())
        elif claim.before is State.SENDING:
            self._doubt(record)
        else:
            log.info("delivery_dropped", state=claim.before)

    def _adopt(self, message_id: MessageId, message: Message) -> Record:
        """Write a record for a task that another program sent by name; its validity counts from now."""
        record = draft(message, message_id, client="", at=self.now())
        self.records.accept(record, task=None)
        return record

    def _send(self, message_id: MessageId, message: Message) -> Outcome:
        submission = Submission(
            id=message_id,
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
        """Another worker began this attempt and has not finished it: it died in the call, or is still in it."""
        attempt = Attempt(record.id, self.channel.name, record.attempts, record.valid_until)
        settle(self.records, attempt, Uncertain(reason="worker_lost"), at=self.now())
