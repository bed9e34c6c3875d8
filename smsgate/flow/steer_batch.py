"""Pause a batch, let it go on, call it back."""

from dataclasses import dataclass
from typing import Final

import structlog

from smsgate.flow.clock import Clock, system_clock
from smsgate.ledger.batch import Batch, Status
from smsgate.ledger.batches import Batches, row_id
from smsgate.ledger.groups import Groups
from smsgate.ledger.records import Moving, Records, Step
from smsgate.states import State

log = structlog.get_logger()

# Rows that are cancelled in one go, and by one task.
_PIECE: Final = 500
ROWS_OF_A_TASK: Final = 20_000


@dataclass(frozen=True, slots=True)
class SteerBatch:
    """Do with a batch what its owner wants."""

    batches: Batches
    groups: Groups
    now: Clock = system_clock

    def __call__(self, batch: Batch, status: Status) -> bool:
        """Pause it within a chunk, let it go on, or call it back; False for one that was called back for good.

        What a worker has in hand goes on. Of a batch that is called back, rows that a worker would take are cancelled,
        and a task goes through all others.

        Raises:
            StoreUnavailable: The same call may be made again.
        """
        if not self.batches.steer(batch, status, self.now()):
            return False
        if status is Status.CANCELLED:
            self.batches.queue_cancelling(batch.id, 0)
        else:
            self.groups.fill(batch.lane, self.now())
        log.info("batch_steered", batch=batch.id, status=status)
        return True


@dataclass(frozen=True, slots=True)
class CancelRows:
    """Cancel the rows of a batch that nobody has begun with, wherever they wait."""

    records: Records
    batches: Batches
    now: Clock = system_clock

    def __call__(self, batch_id: str, start: int) -> int:
        """Go through the rows from number `start` on, up to `ROWS_OF_A_TASK`; the rest has a task of its own.

        Raises:
            StoreUnavailable: The task may come again.
        """
        batch = self.batches.read(batch_id)
        if batch is None:
            return 0
        end = min(batch.received, start + ROWS_OF_A_TASK)
        pieces = (range(first, min(first + _PIECE, end)) for first in range(start, end, _PIECE))
        cancelled = sum(self._cancel(batch_id, numbers) for numbers in pieces)
        if end < batch.received:
            self.batches.queue_cancelling(batch_id, end)
        return cancelled

    def _cancel(self, batch_id: str, numbers: range) -> int:
        facts = {"reason": "batch_cancelled"}
        step = Step(State.CANCELLED, self.now(), facts, facts, only_from=State.QUEUED)
        moves = self.records.move_all([Moving(row_id(batch_id, number)) for number in numbers], step)
        return sum(move.before is State.QUEUED for move in moves)
