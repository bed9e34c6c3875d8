"""The first step, with the ids that callers bring along."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import redis

from smsgate.errors import IdempotencyConflict, InvalidMessage
from smsgate.flow.submit import Submit, fingerprint
from smsgate.ledger.claims import Claims
from smsgate.ledger.records import Records
from smsgate.message import Message, MessageId
from smsgate.states import State
from tests.ledger.conftest import Clock

CODE = Message.check({"to": "13800138000", "template": "T", "params": {"code": "1"}})
SAME = Message.check({"to": "+8613800138000", "template": "T", "params": {"code": "1"}, "valid_for": 86_400})
OTHER = Message.check({"to": "13900139000", "template": "T", "params": {"code": "2"}})


def test_the_same_message_under_the_same_id_is_queued_once(records: Records, store: redis.Redis) -> None:
    submit = Submit(records)
    assert not submit(CODE, message_id="m1").replayed
    assert submit(SAME, message_id="m1").replayed
    assert store.llen("sms.notice") == 1


def test_a_scheduled_message_that_is_repeated_after_its_time_is_known_again(
    records: Records, store: redis.Redis, clock: Clock
) -> None:
    """Refused, its sender would take it for one that was never accepted, and send another."""
    submit = Submit(records, now=clock, claims=Claims(store))
    at = datetime.fromtimestamp(clock() / 1000 + 60, UTC)
    message = Message.check({"to": "13800138000", "template": "T", "send_at": at})
    first = submit(message, client="shop", idempotency_key="k")
    submit(message, message_id="m1")
    submit.reserve(message, MessageId("m2"))
    clock.advance(3600)
    assert submit(message, client="shop", idempotency_key="k") == replace(first, replayed=True)
    assert submit(message, message_id="m1").replayed
    assert not submit.reserve(message, MessageId("m2"))
    for client, key, message_id in (("shop", "other", None), ("other", "k", None), ("", None, "m3"), ("", None, None)):
        with pytest.raises(InvalidMessage, match="lies in the past"):
            submit(message, client=client, idempotency_key=key, message_id=message_id)


def test_another_message_under_a_known_id_is_an_error_and_not_lost_without_a_word(records: Records) -> None:
    submit = Submit(records)
    submit(CODE, message_id="m1")
    with pytest.raises(IdempotencyConflict):
        submit(OTHER, message_id="m1")
    with pytest.raises(IdempotencyConflict):
        submit.reserve(OTHER, MessageId("m1"))


def test_a_record_is_reserved_once(records: Records, store: redis.Redis) -> None:
    submit = Submit(records)
    assert submit.reserve(CODE, MessageId("m1"))
    assert not submit.reserve(SAME, MessageId("m1"))
    assert store.llen("sms.notice") == 0


def test_left_out_and_given_as_the_default_is_the_same_message(records: Records) -> None:
    submit = Submit(records)
    first = submit(CODE, client="shop", idempotency_key="k")
    assert submit(SAME, client="shop", idempotency_key="k").id == first.id


def test_a_message_is_the_same_as_before_the_upgrade() -> None:
    """A request that an older version answered may be repeated now: another print would call it another message."""
    message = Message.check({"to": "13800138000", "template": "SMS_154950909", "params": {"code": "123456"}})
    assert fingerprint(message) == "b256de1b841d8a0cbb4eaca720e81e4c3671e205decd3c0188649426d38abba9"


def test_a_reservation_is_taken_back_unless_a_worker_has_begun_with_it(records: Records) -> None:
    """The broker had the task, and only its answer was lost: the message is out, and must not go again."""
    message = Message.check({"to": "13800138000", "template": "T"})
    submit = Submit(records)
    for name, begun in (("m1", False), ("m2", True)):
        submit.reserve(message, MessageId(name))
        if begun:
            records.move(MessageId(name), State.SENDING, at=1, fields={"attempts": 1})
        submit.take_back(message, MessageId(name))
        assert (records.read(MessageId(name)) is not None) is begun
