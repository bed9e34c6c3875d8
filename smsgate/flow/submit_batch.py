"""Take a batch: one template, up to a million rows, each a message of its own."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from uuid_utils import uuid7

from smsgate.errors import BatchClosed, FieldError, IdempotencyConflict, InvalidMessage, SmsgateError
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.submit import insist_on_a_near_send_at
from smsgate.ledger.batch import ALONE, TOGETHER, Batch, Row, Status
from smsgate.ledger.batches import Batches, row_id
from smsgate.ledger.groups import Groups
from smsgate.ledger.records import Acceptance, Records
from smsgate.message import Addressed, Common, Message

MOST_ROWS: Final = 1_000_000
# Rejected rows that are told one by one; beyond that they are counted.
MOST_TOLD: Final = 1_000
# Rows that are written in one go; the scripts of Redis run alone, and this one takes 10 ms.
PIECE: Final = 500
# Pieces between two notes of how far the upload has come.
_NOTE_EVERY: Final = 10


@dataclass(frozen=True, slots=True)
class Given:
    """A row as it was given: its fields, or why it has none that can be read."""

    index: int
    fields: Mapping[str, Any] | None
    error: FieldError | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is no message."""

    index: int
    errors: Sequence[FieldError]


@dataclass(slots=True)
class Upload:
    """How far a batch has come in."""

    batch: Batch
    replayed: bool
    received: int = 0
    accepted: int = 0
    rejected_count: int = 0
    rejected: list[Rejected] = field(default_factory=list)


class UploadBroken(SmsgateError):
    """The rows could not be read to their end; what was accepted stays so."""

    def __init__(self, upload: Upload, error: Exception) -> None:
        super().__init__(str(error))
        self.upload, self.error = upload, error


@dataclass(frozen=True, slots=True)
class SubmitBatch:
    """Accept batches."""

    records: Records
    batches: Batches
    groups: Groups
    now: Clock = system_clock

    def __call__(
        self, common: Common, rows: Iterable[Given], *, client: str = "", idempotency_key: str | None = None
    ) -> Upload:
        """Accept the rows that are messages, as they come; what has been accepted is sent while others still come in.

        The same key goes on with the same batch: rows that are there are not written again.

        Raises:
            InvalidMessage: The time to send lies too far away; nothing was accepted.
            IdempotencyConflict: The key was used with other fields, or a row differs from the one accepted under its
                number.
            UploadBroken: Reading the rows failed; its `upload` tells how far it came, its `error` why.
            BatchClosed: It was called back meanwhile.
            StoreUnavailable: Redis is away or silent; the same call, with its key, goes on where it ended.
        """
        upload = self._begun(common, client, idempotency_key)
        writer = _Writer(self, upload)
        try:
            for given in rows:
                writer.take(given)
        except (InvalidMessage, ValueError) as error:
            writer.flush(complete=False)
            raise UploadBroken(upload, error) from error
        writer.flush(complete=True)
        return upload

    def _begun(self, common: Common, client: str, key: str | None) -> Upload:
        now = self.now()
        not_before = int(common.send_at.timestamp() * 1000) if common.send_at else 0
        insist_on_a_near_send_at(not_before, now)
        given = common.model_dump(mode="json", exclude_defaults=True) | {"lane": common.lane}
        batch = Batch(
            id=str(uuid7()),
            client=client,
            status=Status.OPEN,
            common=given,
            created_at=now,
            not_before=not_before,
            received_at=now,
            received=0,
            rejected=0,
            complete=False,
            accepted=0,
            counts={},
        )
        acceptance, batch_id = self.batches.open(batch, _fingerprint(given), key)
        if acceptance is Acceptance.CONFLICT:
            raise IdempotencyConflict("this idempotency key was used with another batch or message; use a new key")
        known = batch if acceptance is Acceptance.ACCEPTED else self.batches.read(batch_id)
        return Upload(known or batch, replayed=acceptance is Acceptance.REPLAYED)


class _Writer:
    """Gathers rows until there are enough to write."""

    def __init__(self, step: SubmitBatch, upload: Upload) -> None:
        self._step, self._upload = step, upload
        self._rows: list[Row] = []
        self._pieces = 0
        shared = upload.batch.common
        self._shared = {name: value for name, value in shared.items() if name not in ("template", "lane")}

    def take(self, given: Given) -> None:
        upload = self._upload
        upload.received = given.index + 1
        if given.index >= MOST_ROWS:
            raise InvalidMessage([FieldError("messages", f"has more than {MOST_ROWS:,} rows; send several batches")])
        errors = [given.error] if given.error else self._added(given)
        if errors:
            upload.rejected_count += 1
            if len(upload.rejected) < MOST_TOLD:
                upload.rejected.append(Rejected(given.index, errors))
        if len(self._rows) >= PIECE:
            self._write()

    def _added(self, given: Given) -> Sequence[FieldError]:
        try:
            row = Addressed.check(given.fields or {})
        except InvalidMessage as error:
            return error.errors
        more: dict[str, Any] = {"params": row.params} if row.params else {}
        if row.reference is not None:
            more["reference"] = row.reference
        self._rows.append(Row(given.index, row.to, more | self._shared))
        return ()

    def flush(self, *, complete: bool) -> None:
        self._write(complete=complete, note=True)

    def _write(self, *, complete: bool = False, note: bool = False) -> None:
        rows, self._rows = self._rows, []
        upload, now = self._upload, self._step.now()
        for gathers in (TOGETHER, ALONE):
            some = [row for row in rows if row.to.is_mainland is (gathers is TOGETHER)]
            if some:
                status, known = self._step.batches.accept(upload.batch, some, gathers, now)
                if status is not None:
                    raise BatchClosed("the batch was called back; what was accepted before is cancelled")
                self._compare([row for row in some if row.index in set(known)])
        upload.accepted += len(rows)
        self._pieces += 1
        if note or self._pieces % _NOTE_EVERY == 0:
            self._step.batches.note(
                upload.batch.id, now, received=upload.received, rejected=upload.rejected_count, complete=complete
            )
        self._step.groups.fill(upload.batch.lane, now)

    def _compare(self, rows: Sequence[Row]) -> None:
        """Make sure that rows which are there already are these very ones."""
        ids = [row_id(self._upload.batch.id, row.index) for row in rows]
        for row, record in zip(rows, self._step.records.read_all(ids) if ids else (), strict=True):
            if record is not None and (record.message is None or _more(record.message) != (row.to, row.more)):
                raise IdempotencyConflict(
                    f"messages.{row.index}: differs from the row that was accepted under this key; use a new key"
                )


def _more(message: Message) -> tuple[str, Mapping[str, Any]]:
    rest = message.model_dump(mode="json", exclude_defaults=True, exclude={"to", "template", "lane"})
    return message.to, rest


def _fingerprint(common: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(common, sort_keys=True).encode()).hexdigest()
