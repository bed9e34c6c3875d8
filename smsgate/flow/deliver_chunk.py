"""The worker's step for messages that leave together: take a chunk, call the provider once, settle each."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from structlog.contextvars import bound_contextvars

from smsgate.channels.channel import MOST_IN_A_CHUNK
from smsgate.flow.brake import Brake
from smsgate.flow.bury import bury
from smsgate.flow.carry import Carry
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.hold import Held, hold
from smsgate.flow.patience import ATTEMPTS, Patience
from smsgate.flow.settle import Attempt, count_unknown, settle_all
from smsgate.flow.ways import Plan, Ways
from smsgate.ledger.groups import Chunk, Groups
from smsgate.ledger.record import Claim
from smsgate.ledger.records import Moving, Record, Records, Step
from smsgate.message import Lane, MessageId
from smsgate.outcome import Fault, Outcome, Refused
from smsgate.states import State

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DeliverChunk:
    """Take messages that waited for company to the provider."""

    records: Records
    groups: Groups
    brake: Brake
    ways: Ways
    carry: Carry
    patience: Patience = field(default_factory=Patience)
    now: Clock = system_clock

    def __call__(self, lane: Lane) -> int:
        """Send what waits in a lane, up to a chunk; returns how many messages were taken.

        Raises:
            StoreUnavailable: Redis went away. What was claimed is asked about; anything else waits still.
        """
        chunk_id, plan = secrets.token_hex(8), self.ways.plan(lane)
        most = self._most(lane, plan, chunk_id)
        if not most:
            self.groups.left(lane)
            log.info("chunk_held_back", lane=lane)
            return 0
        at = self.now()
        claim = Claim(at, at, self.patience.lease_until(at), plan.channels, ATTEMPTS, 0)
        chunk = self.groups.take(lane, chunk_id, claim, most=most)
        with bound_contextvars(chunk=chunk_id):
            self._send(lane, chunk, plan, at)
            self._end(chunk)
        return len(chunk.claimed)

    def _most(self, lane: Lane, plan: Plan, probe: str) -> int:
        """Say how many messages may go now, once there is a slot for them; a single one to a channel that is probed."""
        if plan.until is not None:
            return 0
        most = self.brake.most_of(lane, MOST_IN_A_CHUNK, probe)
        way = self.ways.named(plan.channels[0])
        if not most or way is None:
            return most
        # Before anything is claimed: what finds no slot stays where it is, in its order.
        if self.carry.reserve(way, lane):
            return 0
        return most if self.ways.is_whole(way) else 1

    def _send(self, lane: Lane, chunk: Chunk, plan: Plan, began: int) -> None:
        counts: Counter[State] = Counter()
        claimed = self._read(chunk)
        for places, ways in self.ways.by(claimed, plan, plan.channels[0]):
            attempts = [Attempt(claimed[place], plan.channels[0], claimed[place].attempts) for place in places]
            for part, outcome in self.carry(attempts, ways, began=began, chunk_id=chunk.id, slot_of=plan.channels[0]):
                counts += self._settle(part, outcome)
                if not isinstance(outcome, Held):
                    self.brake.learn(lane, outcome, began=began)
        if counts[State.DEAD]:
            # Out of attempts, too: a provider that is away makes dead letters without a refusal.
            self.brake.check(lane)
        if counts:
            log.info("chunk_ended", messages=counts.total(), **_told(counts))

    def _read(self, chunk: Chunk) -> Sequence[Record]:
        """Read what was claimed; one that cannot be read, or that has moved on since, is left to its lease."""
        return [
            record
            for record in self.records.read_those_readable(chunk.claimed).values()
            if record is not None and record.message is not None and record.state is State.SENDING
        ]

    def _settle(self, attempts: Sequence[Attempt], outcome: Outcome | Held) -> Counter[State]:
        if isinstance(outcome, Held):
            hold(self.records, attempts, outcome, at=self.now())
            return Counter({State.QUEUED: len(attempts)})
        if isinstance(outcome, Refused) and outcome.fault is Fault.UNKNOWN:
            count_unknown(self.records, outcome.reason)
        return settle_all(self.records, attempts, outcome, at=self.now(), patience=self.patience)

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


def _told(counts: Counter[State]) -> dict[str, int]:
    return {str(state): count for state, count in counts.items()}
