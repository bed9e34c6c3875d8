"""The first step: take a message into the ledger and put its task on the queue of its lane."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from uuid_utils import uuid7

from smsgate.errors import FieldError, IdempotencyConflict, InvalidMessage
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.gathering import Gathering
from smsgate.flow.send_at import insist_on_a_near_send_at
from smsgate.ledger.claims import Claims
from smsgate.ledger.envelope import seal
from smsgate.ledger.record import Gathers
from smsgate.ledger.records import Acceptance, Event, Idempotency, Record, Records
from smsgate.ledger.slots import Slot, company
from smsgate.masking import shown_arguments
from smsgate.message import MESSAGE_ID, Message, MessageId
from smsgate.queues import LANE_QUEUES, TaskName
from smsgate.states import State

if TYPE_CHECKING:
    from smsgate.flow.admit import Admit
    from smsgate.flow.door import Door
    from smsgate.flow.permits import Admitted, Standing

_ID: Final = re.compile(MESSAGE_ID)
# Fields that came with a later version: where they are not given, a message has the fingerprint that it had before
# them, so that a request repeated over an upgrade is known again.
_LATER_FIELDS: Final = ("send_at", "callback_url")


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a submission: `replayed` when the message had been accepted before, `standings` of its limits."""

    id: MessageId
    replayed: bool
    standings: "Sequence[Standing]" = ()


@dataclass(frozen=True, slots=True)
class Submit:
    """Accept messages."""

    records: Records
    gathering: Gathering | None = None
    now: Clock = system_clock
    claims: Claims | None = None
    admit: "Admit | None" = None  # where limits are declared
    door: "Door | None" = None

    def __call__(
        self,
        message: Message,
        *,
        client: str = "",
        message_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Submitted:
        """Accept one message: when this returns, record and task are both in Redis.

        `client` owns the message and its idempotency keys; `message_id` is the caller's own id
        (a Celery task id), itself an idempotency key.

        Raises:
            InvalidMessage: `message_id` is not one, or the time to send lies too far away.
            IdempotencyConflict: The key, or the id, was used with another message.
            Degraded: The gateway is degraded and takes no messages of this lane; nothing was accepted.
            LimitExceeded: A limit lets no more through; nothing was accepted, and nothing counts.
            StoreUnavailable: Nothing was written, or the answer was lost; the same call may be made again.
        """
        gathers = self.gathering.of(message) if self.gathering else None
        record = draft(message, new_id(message_id), client=client, at=self.now(), gathers=gathers)
        if not self._is_repeated(record, message_id, idempotency_key):
            insist_on_a_near_time(record)
        self._insist_on_the_door(record, message_id, idempotency_key)
        admitted = self._admitted(record, message, message_id, idempotency_key)
        idempotency = Idempotency(idempotency_key, fingerprint(message)) if idempotency_key else None
        acceptance, accepted_id, is_full = self.records.accept(record, slot_of(record), idempotency)
        if is_full and self.gathering:
            self.gathering.offer(record.lane)
        if self.admit and admitted and accepted_id != record.id:
            # Somebody was faster with the same key. Under its own id it may be this call, whose answer was lost.
            self.admit.give_back(admitted)
        if acceptance is Acceptance.CONFLICT:
            raise IdempotencyConflict("this idempotency key was used with another message; use a new key")
        replayed = acceptance is Acceptance.REPLAYED
        if replayed and idempotency is None:
            self._insist(accepted_id, message)
        return Submitted(accepted_id, replayed, admitted.standings if admitted else ())

    def reserve(self, message: Message, message_id: MessageId) -> bool:
        """Write the record alone, for a task that Celery itself will publish; False when it is there already.

        Raises:
            IdempotencyConflict: It is there with another message.
            Degraded: The gateway is degraded and takes no messages of this lane; nothing was written.
            LimitExceeded: A limit lets no more through; nothing was written.
            StoreUnavailable: Redis is away or silent.
        """
        record = draft(message, message_id, client="", at=self.now())
        if not self._is_repeated(record, message_id, None):
            insist_on_a_near_time(record)
        self._insist_on_the_door(record, message_id, None)
        self._admitted(record, message, message_id, None)
        acceptance, *_ = self.records.accept(record, slot=None)
        if acceptance is Acceptance.ACCEPTED:
            return True
        self._insist(message_id, message)
        return False

    def take_back(self, message: Message, message_id: MessageId) -> None:
        """Undo a reservation whose task could not be published, unless it was published all the same."""
        if self.records.forget(draft(message, message_id, client="", at=self.now())) and self.admit:
            self.admit.take_back(message, client="")

    def _insist_on_the_door(self, record: Record, message_id: str | None, key: str | None) -> None:
        """Refuse what a degraded gateway does not take; a message that was accepted before is answered as it was.

        Raises:
            Degraded: It does not take messages of this lane.
        """
        if self.door and not self.door.takes(record.lane) and not self._is_known(record, message_id, key):
            raise self.door.refusal(f"messages of the lane {record.lane}")

    def _admitted(self, record: Record, message: Message, message_id: str | None, key: str | None) -> "Admitted | None":
        """Let it through the declared limits, once: a message that was accepted before is answered as it was.

        Raises:
            LimitExceeded: A limit lets no more through.
            StoreUnavailable: Redis is away or silent.
        """
        if self.admit is None or not self.admit.has_limits(message, record.client):
            return None
        return None if self._is_known(record, message_id, key) else self.admit.message(message, record.client)

    def _is_repeated(self, record: Record, message_id: str | None, key: str | None) -> bool:
        """Say whether a message whose time is over was accepted before it: to refuse it now would ask for another."""
        return 0 < record.not_before < record.accepted_at and self._is_known(record, message_id, key)

    def _is_known(self, record: Record, message_id: str | None, key: str | None) -> bool:
        """Say whether a message came before, under its key or under its id."""
        if key is not None:
            return self.claims is not None and self.claims.has(record.client, key)
        return message_id is not None and self.records.read(record.id) is not None

    def _insist(self, message_id: MessageId, message: Message) -> None:
        """Make sure that what is known under an id is this very message: another one would be lost without a word."""
        known = self.records.read(message_id)
        if known and (known.message is None or fingerprint(known.message) != fingerprint(message)):
            raise IdempotencyConflict("this task_id was used with another message; use a new one")


def insist_on_a_near_time(record: Record) -> None:
    """Refuse a time to send that nobody can mean.

    Raises:
        InvalidMessage: It lies in the past, or more than 30 days ahead.
    """
    insist_on_a_near_send_at(record.not_before, record.accepted_at)


def new_id(wanted: str | None = None) -> MessageId:
    """Check the id that a caller wants, or make one that sorts by time (UUIDv7).

    Raises:
        InvalidMessage: The wanted id has other characters, or more, than a provider would hand back.
    """
    if wanted is None:
        return MessageId(str(uuid7()))
    if not _ID.fullmatch(wanted):
        raise InvalidMessage([FieldError("task_id", "must be 1 to 64 letters, digits, _ or -")])
    return MessageId(wanted)


def draft(  # noqa: PLR0913 - all that is not the message itself
    message: Message,
    message_id: MessageId,
    *,
    client: str,
    at: int,
    gathers: Gathers | None = None,
    row: bool = False,
) -> Record:
    """Write the first state of a record; `at` in Unix milliseconds.

    A message with a time to send is valid from then on.
    """
    not_before = int(message.send_at.timestamp() * 1000) if message.send_at else 0
    return Record(
        id=message_id,
        message=message,
        client=client,
        state=State.QUEUED,
        accepted_at=at,
        valid_until=max(at, not_before) + message.seconds_valid * 1000,
        attempts=0,
        reason=None,
        channel=None,
        provider_id=None,
        timeline=(Event(at, State.QUEUED, {"send_at": not_before} if not_before > at else {}),),
        not_before=not_before,
        gathers=gathers,
        row=row,
    )


def arguments(message: Message) -> tuple[list[Any], dict[str, Any]]:
    """Lay a message out as the arguments of the Celery task: what is not given is left out."""
    given = message.model_dump(mode="json", exclude_defaults=True)
    positional = [str(message.to), given.pop("template"), given.pop("params", {})]
    given.pop("to")
    return positional, given


def slot_of(record: Record) -> Slot:
    """Say where a queued message waits: among those that it leaves with, or as a task of its own."""
    if record.message is None:
        raise AssertionError("a queued record holds its message")
    return company(record) if record.gathers else Slot(LANE_QUEUES[record.lane], task(record.id, record.message))


def task(message_id: MessageId, message: Message) -> str:
    """Write the Celery message for a record."""
    args, kwargs = arguments(message)
    shown_args, shown_kwargs = shown_arguments(args, kwargs)
    return seal(
        TaskName.SEND,
        message_id,
        LANE_QUEUES[message.lane],
        args,
        kwargs,
        shown_args=shown_args,
        shown_kwargs=shown_kwargs,
    )


def fingerprint(message: Message) -> str:
    """Tell messages apart: two that would send the same have the same fingerprint, however they were written."""
    fields = {**message.model_dump(mode="json"), "valid_for": message.seconds_valid}
    for later in _LATER_FIELDS:
        if fields[later] is None:
            del fields[later]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
