"""The batches in Redis: what all rows share, their counts, and the way in which rows are written by the hundred."""

import json
from collections.abc import Sequence
from typing import cast
from uuid import uuid4

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.act import Act
from smsgate.ledger.batch import Batch, Row, Status
from smsgate.ledger.connection import border
from smsgate.ledger.envelope import seal
from smsgate.ledger.record import TIMELINE, Event, Gathers
from smsgate.ledger.records import Acceptance
from smsgate.ledger.turns import in_turn
from smsgate.message import MessageId
from smsgate.queues import Queue, TaskName
from smsgate.states import State


class Batches:
    """The batches in one Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._open = client.register_script(scripts.source("open_batch"))
        self._accept = Act(client, "accept_rows")
        self._note = client.register_script(scripts.source("note_batch"))
        self._steer = client.register_script(scripts.source("steer_batch"))

    def open(self, batch: Batch, fingerprint: str, key: str | None) -> tuple[Acceptance, str]:
        """Begin a batch; with a key that was used before, name the batch that was begun with it.

        Raises:
            StoreUnavailable: Nothing was written, or the answer was lost; the same call may be made again.
        """
        known: dict[str, str | int] = {
            "client": batch.client,
            "status": str(batch.status),
            "common": json.dumps(batch.common),
            "created_at": batch.created_at,
            "not_before": batch.not_before,
            "received_at": batch.received_at,
        }
        with border():
            answer, batch_id = self._open(
                keys=[keys.idempotency(batch.client, key or ""), keys.batch(batch.id)],
                args=[
                    *(batch.id, fingerprint, "1" if key else "", keys.IDEMPOTENCY_TTL, keys.OPEN_RECORD_TTL),
                    *(part for pair in known.items() for part in pair),
                ],
            )
        taken = {"opened": Acceptance.ACCEPTED, "continued": Acceptance.REPLAYED, "conflict": Acceptance.CONFLICT}
        return taken[answer], str(batch_id)

    def read(self, batch_id: str) -> Batch | None:
        """Read one batch with its counts; None when there is none (never begun, or its retention is over)."""
        with border():
            known = cast("dict[str, str]", self._redis.hgetall(keys.batch(batch_id)))
        return Batch.read(batch_id, known) if "status" in known else None

    def is_begun(self, client: str, key: str) -> bool:
        """Say whether a key is in use: by a batch, or by a message."""
        with border():
            return bool(self._redis.exists(keys.idempotency(client, key)))

    def there(self, batch_id: str, indexes: Sequence[int]) -> frozenset[int]:
        """Say which rows have been accepted, and are kept still."""
        with border():
            pipe = self._redis.pipeline(transaction=False)
            for index in indexes:
                pipe.exists(keys.record(row_id(batch_id, index)))
            return frozenset(index for index, found in zip(indexes, pipe.execute(), strict=True) if found)

    def accept(self, batch: Batch, rows: Sequence[Row], gathers: Gathers, now: int) -> tuple[Status | None, set[int]]:
        """Write rows, unless the batch takes no more (gives its status) or some are there already (gives which).

        As long as one of them is there nothing is written: whoever calls compares, and gives the others again.

        Raises:
            StoreUnavailable: Nothing was written, or the answer was lost; the same call may be made again.
        """
        at = max(batch.not_before, now)
        common = [part for pair in _record(batch, gathers, now).items() for part in pair]
        group = batch.group(gathers)
        with border(), in_turn():
            status, known = self._accept(
                keys=[
                    *(keys.batch(batch.id), keys.due(batch.lane), keys.groups(batch.lane)),
                    keys.group(batch.lane, group),
                ],
                args=[
                    *(batch.id, keys.RECORD_OF, keys.OPEN_RECORD_TTL, batch.valid_until(now), group),
                    *(at + gathers.wait, keys.GROUP_TTL, at, len(common), *common),
                    *(part for row in rows for part in (row.index, row.to, row.to.national, row.more)),
                ],
            )
        return None if status in ("accepted", "known") else _closed(status), {int(index) for index in known}

    def note(self, batch_id: str, now: int, *, received: int, rejected: int, complete: bool) -> None:
        """Note how far an upload has come."""
        with border():
            self._note(keys=[keys.batch(batch_id)], args=[now, received, rejected, int(complete)])

    def steer(self, batch: Batch, status: Status, now: int) -> bool:
        """Pause a batch, let it go on or call it back; False for one that was called back for good.

        Raises:
            StoreUnavailable: The same call may be made again.
        """
        with border():
            answer = self._steer(
                keys=[keys.batch(batch.id), keys.groups(batch.lane)],
                args=[status, now, keys.group(batch.lane), *batch.groups],
            )
        return bool(answer == "steered")

    def queue_cancelling(self, batch_id: str, start: int) -> None:
        """Queue the task that cancels the rows of a batch from number `start` on."""
        args = [batch_id, start]
        task = seal(TaskName.CANCEL_ROWS, str(uuid4()), Queue.CHORES, args, {}, shown_args=repr(tuple(args)))
        with border():
            self._redis.lpush(Queue.CHORES, task)


def row_id(batch_id: str, index: int) -> MessageId:
    """Name the message of a row."""
    return MessageId(f"{batch_id}-{index}")


def _record(batch: Batch, gathers: Gathers, now: int) -> dict[str, str | int]:
    """Lay out what the records of all rows have in common, as `Record.fields` does for one."""
    scheduled = {"send_at": batch.not_before} if batch.not_before > now else {}
    known: dict[str, str | int] = {
        "state": State.QUEUED,
        "lane": batch.lane,
        "template": str(batch.common["template"]),
        "accepted_at": now,
        "valid_until": batch.valid_until(now),
        "client": batch.client,
        "gathers": gathers.written,
        "row": 1,
        f"{TIMELINE}0": Event(now, State.QUEUED, scheduled).line(),
        TIMELINE: 1,
    }
    more = {"not_before": batch.not_before, "callback": int("callback_url" in batch.common)}
    return {**known, **{name: value for name, value in more.items() if value}}


def _closed(status: str) -> Status:
    """Read the status of a batch that takes no more; one that was removed meanwhile takes no more either."""
    return Status(status) if status in set(Status) else Status.CANCELLED
