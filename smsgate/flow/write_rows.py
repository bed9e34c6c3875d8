"""Check the rows of a batch one by one, and write them by the hundred."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from smsgate.errors import BatchClosed, FieldError, IdempotencyConflict, InvalidMessage, LimitExceeded
from smsgate.flow.clock import Clock
from smsgate.ledger.batch import ALONE, TOGETHER, Batch, Row
from smsgate.ledger.batches import Batches, row_id
from smsgate.ledger.groups import Groups
from smsgate.ledger.record import Gathers
from smsgate.ledger.records import Records
from smsgate.message import Addressed, Message

if TYPE_CHECKING:
    from smsgate.flow.permits import Standing
    from smsgate.flow.row_limits import RowLimits

# Rejected rows that are told one by one; beyond that they are counted.
MOST_TOLD: Final = 1_000
# What is told of one: a row may have thousands of fields that there are not, with names as long as it pleases.
_MOST_ERRORS: Final = 5
_LONGEST_NAME: Final = 100
_FIELDS: Final = frozenset(Addressed.model_fields)
_FORGOTTEN: Final = FieldError(
    "row",
    "came before, longer ago than rows are kept after their end (SMSGATE_RETENTION_DAYS): it may have been sent; "
    "if it was refused then, send it in a new batch",
)
# Rows, and characters, that are written in one go; the scripts of Redis run alone, and this one takes 1 to 2 ms.
PIECE: Final = 100
_MOST_TEXT: Final = 64 * 1024
# Milliseconds after which rows are written although they are few: those of a slow sender need not wait for each other.
_LONGEST_WAIT: Final = 1_000
# Pieces between two notes of how far the upload has come, and between two looks at what may be sent already.
_NOTE_EVERY: Final = 50
_FILL_EVERY: Final = 5


@dataclass(frozen=True, slots=True)
class Given:
    """A row as it was given: its fields, or why it has none that can be read."""

    index: int
    fields: Mapping[str, Any] | None
    error: FieldError | None = None


def given(index: int, row: object) -> Given:
    """Take a row as it was read."""
    if isinstance(row, Mapping):
        # Rows of a database are mappings, and no dicts; a message's fields are read of a dict alone.
        return Given(index, row if isinstance(row, dict) else dict(row))
    return Given(index, None, FieldError("row", 'must be an object, such as {"to": "13800138000"}'))


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is no message."""

    index: int
    errors: Sequence[FieldError]


@dataclass(slots=True)
class Upload:
    """How far a batch has come in: `limited` by which limit that frees first, and with which `standings` at its end."""

    batch: Batch
    replayed: bool
    received: int = 0
    accepted: int = 0
    rejected_count: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    limited: LimitExceeded | None = None
    standings: "Sequence[Standing]" = ()

    @property
    def id(self) -> str:
        return self.batch.id


class RowWriter:
    """Gathers rows until there are enough to write."""

    def __init__(  # noqa: PLR0913 - the parts of its step
        self,
        records: Records,
        batches: Batches,
        groups: Groups,
        now: Clock,
        upload: Upload,
        *,
        kept: int | None = None,
        limits: "RowLimits | None" = None,
    ) -> None:
        """Take the parts, how far the batch has come in, and the seconds for which a row is kept after its end."""
        self.upload = upload
        self._limits = limits
        # Of a batch that is older than that, rows up to this number may have been sent and forgotten.
        self._forgotten_below = upload.batch.received if upload.replayed and kept is not None else 0
        self._forgets_from = upload.batch.created_at + (kept or 0) * 1000
        self._records, self._batches, self._groups, self._now = records, batches, groups, now
        self._rows: list[Row] = []
        self._text = self._pieces = self._forgotten = 0
        self._written_at = self._filled_at = now()
        shared = upload.batch.common
        self._shared = {name: value for name, value in shared.items() if name not in ("template", "lane")}

    def take(self, given: Given) -> None:
        """Take one row.

        Raises:
            IdempotencyConflict: A row is there already, and says something else; nothing of this piece was written.
            BatchClosed: The batch was called back.
            StoreUnavailable: Redis is away or silent.
        """
        upload = self.upload
        upload.received = given.index + 1
        errors = [given.error] if given.error else self._added(given.index, given.fields or {})
        if errors:
            self._reject(given.index, errors)
        if len(self._rows) >= PIECE or self._text >= _MOST_TEXT or self._now() - self._written_at >= _LONGEST_WAIT:
            self._write()

    def flush(self, *, complete: bool) -> None:
        """Write what is left, and note how far the upload came, and whether that was its end."""
        self._write()
        self._fill()
        self._note(complete=complete)

    def _added(self, index: int, fields: Mapping[str, Any]) -> Sequence[FieldError]:
        unknown = [name for name in fields if name not in _FIELDS]
        if len(unknown) > _MOST_ERRORS:
            return [
                FieldError("row", f"has {len(unknown)} fields that are none of a row: {', '.join(sorted(_FIELDS))}")
            ]
        try:
            row = Addressed.check(fields)
        except InvalidMessage as error:
            return error.errors
        more: dict[str, Any] = {"params": row.params} if row.params else {}
        if row.reference is not None:
            more["reference"] = row.reference
        more |= self._shared
        text = json.dumps(more, ensure_ascii=False, separators=(",", ":")) if more else ""
        self._rows.append(Row(index, row.to, text))
        self._text += len(text)
        return ()

    def _reject(self, index: int, errors: Sequence[FieldError]) -> None:
        self.upload.rejected_count += 1
        if len(self.upload.rejected) < MOST_TOLD:
            self.upload.rejected.append(Rejected(index, list(map(_short, errors[:_MOST_ERRORS]))))

    def _remembered(self, rows: list[Row]) -> list[Row]:
        """Refuse rows that may have been sent, and whose records are gone: written again, they would be sent again."""
        below = self._forgotten_below if self._now() >= self._forgets_from else 0
        old = [row.index for row in rows if row.index < below]
        records = self._records.read_all([row_id(self.upload.batch.id, index) for index in old]) if old else ()
        gone = {index for index, record in zip(old, records, strict=True) if record is None}
        self._forgotten += len(gone)
        for index in sorted(gone):
            self._reject(index, [_FORGOTTEN])
        return [row for row in rows if row.index not in gone]

    def _within_limits(self, rows: list[Row]) -> list[Row]:
        """Refuse rows for which there is no room at the door."""
        if self._limits is None or not rows:
            return rows
        upload = self.upload
        refused = self._limits.refused(upload.id, rows, again=upload.replayed)
        for index, limit in refused.items():
            self._reject(index, [FieldError(limit.limit, limit.told)])
            upload.limited = min(upload.limited or limit, limit, key=lambda one: one.frees_in)
        return [row for row in rows if row.index not in refused] if refused else rows

    def _write(self) -> None:
        rows, self._rows, self._text = self._within_limits(self._remembered(self._rows)), [], 0
        now = self._written_at = self._now()
        waiting = {row.index for row in rows}
        try:
            for gathers in (TOGETHER, ALONE):
                some = [row for row in rows if row.to.is_mainland is (gathers is TOGETHER)]
                while some:
                    rest = self._written(some, gathers, now)
                    waiting -= {row.index for row in some} - {row.index for row in rest}
                    some = rest
        except (BatchClosed, IdempotencyConflict):
            if self._limits:
                self._limits.give_back(waiting)
            raise
        self.upload.accepted += len(rows)
        self._pieces += 1
        if self._pieces % _NOTE_EVERY == 0:
            self._note(complete=False)
        if self._pieces % _FILL_EVERY == 0 or now - self._filled_at >= _LONGEST_WAIT:
            self._fill()

    def _fill(self) -> None:
        """Have sent what can be."""
        self._filled_at = self._now()
        self._groups.fill(self.upload.batch.lane, self._filled_at)

    def _written(self, rows: Sequence[Row], gathers: Gathers, now: int) -> list[Row]:
        """Write rows; gives those that are still to be written, because others were there already."""
        status, known = self._batches.accept(self.upload.batch, rows, gathers, now)
        if status is not None:
            raise BatchClosed("the batch was called back; what was accepted before and not begun with is cancelled")
        self._compare([row for row in rows if row.index in known])
        return [row for row in rows if row.index not in known] if known else []

    def _note(self, *, complete: bool) -> None:
        upload = self.upload
        # What was forgotten the batch has counted, as accepted or as rejected, when it came first.
        rejected = max(upload.rejected_count - self._forgotten, upload.batch.rejected if self._forgotten else 0)
        counts = {"received": upload.received, "rejected": rejected}
        self._batches.note(upload.batch.id, self._now(), complete=complete, **counts)

    def _compare(self, rows: Sequence[Row]) -> None:
        """Make sure that rows which are there already are these very ones."""
        ids = [row_id(self.upload.batch.id, row.index) for row in rows]
        for row, record in zip(rows, self._records.read_all(ids) if ids else (), strict=True):
            if record is not None and (record.message is None or _said(record.message) != (row.to, _read(row.more))):
                raise IdempotencyConflict(
                    f"messages.{row.index}: differs from the row that was accepted under this key; use a new key"
                )


def _read(more: str) -> Mapping[str, Any]:
    return json.loads(more) if more else {}


def _said(message: Message) -> tuple[str, Mapping[str, Any]]:
    rest = message.model_dump(mode="json", exclude_defaults=True, exclude={"to", "template", "lane"})
    return message.to, rest


def _short(error: FieldError) -> FieldError:
    return FieldError(f"{error.field[:_LONGEST_NAME]}…", error.message) if len(error.field) > _LONGEST_NAME else error
