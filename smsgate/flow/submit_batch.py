"""Take a batch: one template, up to a million rows, each a message of its own."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from uuid_utils import uuid7

from smsgate.errors import FieldError, IdempotencyConflict, InvalidMessage, SmsgateError
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.send_at import insist_on_a_near_send_at
from smsgate.flow.write_rows import Given, RowWriter, Upload
from smsgate.ledger.batch import Batch, Status
from smsgate.ledger.batches import Batches
from smsgate.ledger.groups import Groups
from smsgate.ledger.records import Acceptance, Records
from smsgate.message import Common

if TYPE_CHECKING:
    from smsgate.flow.admit import Admit
    from smsgate.flow.door import Door
    from smsgate.flow.permits import Admitted
    from smsgate.flow.row_limits import RowLimits

MOST_ROWS: Final = 1_000_000


class UploadBroken(SmsgateError):
    """The rows did not come in to their end; what was accepted stays so. `error` says why, `upload` how far it came."""

    def __init__(self, upload: Upload, error: Exception) -> None:
        super().__init__(str(error) if isinstance(error, SmsgateError) else type(error).__name__)
        self.upload, self.error = upload, error


class Withdrawn(InvalidMessage):
    """What was read of a batch was not what its sender meant, and must not go out."""


@dataclass(frozen=True, slots=True)
class SubmitBatch:
    """Accept batches."""

    records: Records
    batches: Batches
    groups: Groups
    now: Clock = system_clock
    kept: int | None = None  # seconds for which a row can be read after its end, where that is less than a key holds
    admit: "Admit | None" = None  # where limits are declared
    door: "Door | None" = None

    def __call__(
        self, common: Common, rows: Iterable[Given], *, client: str = "", idempotency_key: str | None = None
    ) -> Upload:
        """Accept the rows that are messages, as they come; what has been accepted is sent while others still come in.

        The same key goes on with the same batch: rows that are there are not written again.

        Raises:
            InvalidMessage: The time to send lies too far away; nothing was accepted.
            IdempotencyConflict: The key was used with other fields; nothing was accepted.
            Degraded: The gateway is degraded and takes no batches; no row was read.
            LimitExceeded: A limit that counts requests lets no more through; no row was read.
            StoreUnavailable: Redis is away or silent; nothing was accepted.
            UploadBroken: It ended before its end: its `error` is what `rows` raised; or IdempotencyConflict, when a row
                differs from the one accepted under its number; BatchClosed, when it was called back meanwhile; or
                StoreUnavailable, after which the same call, with its key, goes on where it ended.
        """
        upload = self._begun(common, client, idempotency_key)
        limits = self._limits(common, client)
        writer = RowWriter(self.records, self.batches, self.groups, self.now, upload, kept=self.kept, limits=limits)
        try:
            self._read(rows, writer)
        except UploadBroken:
            raise
        except SmsgateError as error:
            raise UploadBroken(upload, error) from error
        if self.admit and limits:
            upload.standings = self.admit.standings_of(common, client)
        return upload

    def look(self, client: str, idempotency_key: str | None) -> None:
        """Turn a batch away before a byte of it is read, unless its key goes on with one that was begun.

        Raises:
            Degraded: The gateway is degraded and takes no batches.
            LimitExceeded: A limit that counts requests lets no more through.
            StoreUnavailable: Redis is away or silent.
        """
        is_shut = self.door is not None and not self.door.takes_batches
        if (is_shut or self.admit) and not (idempotency_key and self.batches.is_begun(client, idempotency_key)):
            self._insist_on_the_door()
            if self.admit:
                self.admit.look(client)

    def _insist_on_the_door(self) -> None:
        if self.door and not self.door.takes_batches:
            raise self.door.refusal("batches")

    def _read(self, rows: Iterable[Given], writer: RowWriter) -> None:
        upload = writer.upload
        try:
            for given in rows:
                _insist_on_room(given.index)
                writer.take(given)
        except Withdrawn:
            if not upload.replayed:
                self.batches.steer(upload.batch, Status.CANCELLED, self.now())
                self.batches.queue_cancelling(upload.batch.id, 0)
            raise
        except InvalidMessage:
            writer.flush(complete=False)
            raise
        except SmsgateError:
            raise
        except Exception as error:
            # A caller's own rows may break in any way.
            writer.flush(complete=False)
            raise UploadBroken(upload, error) from error
        writer.flush(complete=True)

    def _limits(self, common: Common, client: str) -> "RowLimits | None":
        if self.admit is None or not self.admit.has_limits(common, client):
            return None
        from smsgate.flow.row_limits import RowLimits  # noqa: PLC0415 - where there are limits

        return RowLimits(self.admit, self.batches, common, client)

    def _begun(self, common: Common, client: str, key: str | None) -> Upload:
        now = self.now()
        not_before = int(common.send_at.timestamp() * 1000) if common.send_at else 0
        admitted: Admitted | None = None
        if key is None or not self.batches.is_begun(client, key):  # the rest of a batch may come after its time
            insist_on_a_near_send_at(not_before, now)
            self._insist_on_the_door()
            admitted = self.admit.request(common, client) if self.admit else None
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
        if self.admit and admitted and batch_id != batch.id:
            self.admit.give_back(admitted)  # somebody was faster with the same key
        if acceptance is Acceptance.CONFLICT:
            raise IdempotencyConflict("this idempotency key was used with another batch or message; use a new key")
        known = batch if acceptance is Acceptance.ACCEPTED else self.batches.read(batch_id)
        return Upload(known or batch, replayed=acceptance is Acceptance.REPLAYED)


def _insist_on_room(index: int) -> None:
    if index >= MOST_ROWS:
        raise InvalidMessage([FieldError("messages", f"has more than {MOST_ROWS:,} rows; send several batches")])


def _fingerprint(common: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(common, sort_keys=True).encode()).hexdigest()
