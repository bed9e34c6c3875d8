"""Messages at rest whose clients are to be told."""

import itertools
import time
from typing import Any, Final

import redis

from smsgate.ledger import keys
from smsgate.ledger.records import Event, Record, Records
from smsgate.ledger.retention import Retention
from smsgate.message import Message, MessageId
from smsgate.states import State

_NUMBERS: Final = itertools.count(1)


def now() -> int:
    return time.time_ns() // 1_000_000


def rested(store: redis.Redis, url: str | None, *, state: State = State.DELIVERED, **fields: Any) -> MessageId:
    """Write a record in a resting state and its place in the outbox, as the ledger's move does."""
    known = {"to": "13800138000", "template": "SMS_1", "params": {"code": "135790"}, "callback_url": url}
    at = fields.pop("at", now())
    record = Record(
        id=MessageId(f"w{next(_NUMBERS)}"),
        message=Message.check({name: value for name, value in known.items() if value is not None}),
        client=fields.pop("client", "acme"),
        state=state,
        accepted_at=at - 9,
        valid_until=at + 60_000,
        attempts=1,
        reason=None,
        channel=None,
        provider_id=None,
        timeline=(Event(at - 9, State.QUEUED), Event(at - 5, State.SENDING), Event(at, state)),
    )
    Records(store, retention=Retention(3600)).accept(record, slot=None)
    store.zadd(keys.WEBHOOKS, {record.id: at})
    return record.id
