"""The worker's step for messages that leave together: take a chunk, call the provider once, settle each."""

import secrets
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from structlog.contextvars import bound_contextvars

from smsgate.channels.channel import MOST_IN_A_CHUNK, Channel
from smsgate.flow.apart import apart
from smsgate.flow.brake import Brake
from smsgate.flow.bury import bury
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.patience import ATTEMPTS, Patience
from smsgate.flow.settle import Attempt, count_unknown, settle_all
from smsgate.flow.submission import submission_of, tried
from smsgate.ledger.groups import Chunk, Groups
from smsgate.ledger.record import Claim
from smsgate.ledger.records import Moving, Records, Step
from smsgate.message import Lane, MessageId
from smsgate.outcome import Fault, Outcome, Refused, Unsent
from smsgate.states import State

log = structlog.get_logger()

# Milliseconds from the claim of a chunk after which the provider is not called any more: this process was frozen, or
# the chunk has many messages that are refused. A call takes up to 13 s, and the task has 30.
LAST_CALL: Final = 10_000
_NOT_TRIED: Final = Unsent("not_tried", Fault.PROVIDER)


@dataclass(frozen=True, slots=True)
class DeliverChunk:
    """Take messages that waited for company to the provider."""

    records: Records
    groups: Groups
    brake: Brake
    channel: Channel
    sign: str
    patience: Patience = field(default_factory=Patience)
    now: Clock = system_clock

    def __call__(self, lane: Lane) -> int:
        """Send what waits in a lane, up to a chunk; returns how many messages were taken.

        Raises:
            StoreUnavailable: Redis went away. What was claimed is asked about; anything else waits still.
        """
        chunk_id, at = secrets.token_hex(8), self.now()
        most = self.brake.most_of(lane, MOST_IN_A_CHUNK, chunk_id)
        if not most:
            self.groups.left(lane)
            log.info("chunk_held_back", lane=lane)
            return 0
        claim = Claim(at, at, self.patience.lease_until(at), self.channel.name, ATTEMPTS, 0)
        chunk = self.groups.take(lane, chunk_id, claim, most=most)
        with bound_contextvars(chunk=chunk_id):
            self._send(lane, chunk, at)
            self._end(chunk)
        return len(chunk.claimed)

    def _send(self, lane: Lane, chunk: Chunk, began: int) -> None:
        counts: Counter[State] = Counter()
        attempts = self._attempts(chunk)
        if attempts:
            for part, outcome in apart(attempts, lambda some: self._call(chunk.id, some, began), _variables):
                counts += self._settle(part, outcome)
                self.brake.learn(lane, outcome, began=began)
        if counts[State.DEAD]:
            # Out of attempts, too: a provider that is away makes dead letters without a refusal.
            self.brake.check(lane)
        if attempts:
            log.info("chunk_ended", channel=self.channel.name, messages=len(attempts), **_told(counts))

    def _attempts(self, chunk: Chunk) -> Sequence[Attempt]:
        """Read what was claimed; one that cannot be read, or that has moved on since, is left to its lease."""
        known = self.records.read_those_readable(chunk.claimed).values()
        return [
            Attempt(record, self.channel.name, record.attempts)
            for record in known
            if record is not None and record.message is not None and record.state is State.SENDING
        ]

    def _call(self, chunk_id: str, attempts: Sequence[Attempt], began: int) -> Outcome:
        if self.now() - began > LAST_CALL:
            return _NOT_TRIED
        submissions = [submission_of(attempt.record, self.sign) for attempt in attempts]
        if len(submissions) == 1:
            return tried(self.channel, lambda: self.channel.send(submissions[0]))
        return tried(self.channel, lambda: self.channel.send_chunk(chunk_id, submissions))

    def _settle(self, attempts: Sequence[Attempt], outcome: Outcome) -> Counter[State]:
        if isinstance(outcome, Refused) and outcome.fault is Fault.UNKNOWN:
            count_unknown(self.records, outcome.reason)
        if outcome is not _NOT_TRIED:
            return settle_all(self.records, attempts, outcome, at=self.now(), patience=self.patience)
        for attempt in attempts:
            self._release(attempt)
        return Counter({State.QUEUED: len(attempts)})

    def _release(self, attempt: Attempt) -> None:
        """Put back what was claimed and not tried; the attempt does not count."""
        at, record = self.now(), attempt.record
        fields = {"budget": (record.budget or ATTEMPTS) + 1}
        step = Step(State.QUEUED, at, fields, {"reason": _NOT_TRIED.reason})
        self.records.move_all([Moving(record.id, attempt.number, at)], step)

    def _end(self, chunk: Chunk) -> None:
        """End what was found in the group and is not to be sent."""
        self._move(chunk.expired, State.EXPIRED, "expired")
        self._move(chunk.cancelled, State.CANCELLED, "batch_cancelled")
        for message_id in chunk.spent:
            record = self.records.read(message_id)
            bury(self.records, message_id, (record and record.reason) or "attempts_used_up", now=self.now)

    def _move(self, ids: Sequence[MessageId], to: State, reason: str) -> None:
        facts = {"reason": reason}
        step = Step(to, self.now(), facts, facts, only_from=State.QUEUED)
        self.records.move_all([Moving(message_id) for message_id in ids], step)


def _variables(attempt: Attempt) -> Hashable:
    """Tell which variables a message brings, and which of them are blank: the provider may miss those, too."""
    message = attempt.record.message
    return frozenset((name, not value.strip()) for name, value in message.params.items()) if message else None


def _told(counts: Counter[State]) -> dict[str, int]:
    return {str(state): count for state, count in counts.items()}
