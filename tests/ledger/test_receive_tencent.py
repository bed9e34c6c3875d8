"""Tencent's pushes: reports that name messages by the provider's id, perhaps before we know it ourselves."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from smsgate.flow.receive import PATIENCE, Receive
from smsgate.flow.submit import draft
from smsgate.flow.watch import Watch
from smsgate.ledger import keys
from smsgate.ledger.groups import Groups
from smsgate.ledger.provider_ids import ProviderIds
from smsgate.ledger.pushes import Push, Pushes, PushKind
from smsgate.ledger.records import Records
from smsgate.message import Message, MessageId
from smsgate.states import State

AT = 1_767_225_600_000
REPORT = {
    "user_receive_time": "2026-01-01 08:00:05",
    "nationcode": "86",
    "mobile": "13800138000",
    "report_status": "SUCCESS",
    "errmsg": "DELIVRD",
    "description": "用户短信送达成功",
    "sid": "2640:1",
}
REPLY = {"extend": "", "mobile": "13800138000", "nationcode": "86", "sign": "s", "text": "TD", "time": 1767225600}
Apply = Callable[..., None]


@pytest.fixture
def apply(watch: Watch, records: Records, store: redis.Redis, clock: Callable[[], int]) -> Apply:
    """Store a push and apply it; without entries, apply the stored one again."""
    pushes = Pushes(store)

    def one(*entries: Any, kind: PushKind = PushKind.TENCENT_REPORT) -> None:
        if entries:
            pushes.store(Push("p1", kind, json.dumps(entries, ensure_ascii=False)))
        Receive(records, Groups(store), pushes, watch, now=clock)("p1")

    return one


@pytest.fixture
def sent(records: Records) -> MessageId:
    message = Message.check({"to": "13800138000", "template": "T"})
    records.accept(draft(message, MessageId("m1"), client="", at=AT), slot=None)
    for state in (State.SENDING, State.SENT):
        records.move(MessageId("m1"), state, at=AT)
    return MessageId("m1")


def _state(records: Records) -> State:
    record = records.read(MessageId("m1"))
    assert record is not None
    return record.state


def _waiting(store: redis.Redis) -> int:
    return store.zcard(keys.PUSHES_WAITING)


def test_a_report_ends_the_message_that_was_noted_under_its_id(
    sent: MessageId, records: Records, store: redis.Redis, apply: Apply
) -> None:
    ProviderIds(store).note("backup", "2640:1", sent)

    apply(REPORT)

    record = records.read(sent)
    assert record is not None
    assert (record.state, record.provider_id, _waiting(store)) == (State.DELIVERED, "2640:1", 0)
    assert record.timeline[-1].detail == {"code": "DELIVRD", "reported_at": 1_767_225_605_000}


def test_a_report_with_our_own_id_needs_no_note(
    sent: MessageId, records: Records, store: redis.Redis, apply: Apply
) -> None:
    apply({**REPORT, "report_status": "FAIL", "errmsg": "MK:0001", "ext": "m1"})

    assert (_state(records), _waiting(store)) == (State.UNDELIVERED, 0)


def test_a_report_that_was_faster_than_our_note_waits_for_it(
    sent: MessageId, records: Records, store: redis.Redis, apply: Apply
) -> None:
    apply(REPORT)
    assert (_state(records), _waiting(store)) == (State.SENT, 1)

    ProviderIds(store).note("backup", "2640:1", sent)
    assert Pushes(store).requeue(older_than=-1) == 1
    apply()

    assert (_state(records), _waiting(store)) == (State.DELIVERED, 0)


def test_a_report_that_waits_holds_up_no_other_in_its_push(
    sent: MessageId, records: Records, store: redis.Redis, apply: Apply
) -> None:
    ProviderIds(store).note("backup", "2640:1", sent)

    apply({**REPORT, "sid": "2640:unknown"}, REPORT)

    assert (_state(records), _waiting(store)) == (State.DELIVERED, 1)


def test_a_report_of_no_message_is_given_up_in_the_end_and_told(store: redis.Redis, apply: Apply) -> None:
    with capture_logs() as logs:
        apply(REPORT)
        for _ in range(PATIENCE - 1):
            apply()
        assert _waiting(store) == 1
        apply()

    assert (_waiting(store), store.exists(keys.push("p1"))) == (0, 0)
    assert [line["event"] for line in logs] == ["receipts_put_off"] * PATIENCE + ["receipt_of_no_message"]
    assert "13800138000" not in str(logs)


def test_a_report_of_another_number_is_not_taken_for_the_messages(
    sent: MessageId, records: Records, store: redis.Redis, apply: Apply
) -> None:
    ProviderIds(store).note("backup", "2640:1", sent)

    apply({**REPORT, "mobile": "13900139000"})

    assert _state(records) is State.SENT


def test_a_reply_is_kept_once(store: redis.Redis, apply: Apply) -> None:
    apply(REPLY, kind=PushKind.TENCENT_UP)
    apply(REPLY, kind=PushKind.TENCENT_UP)

    [(_, fields)] = store.xrange(keys.REPLIES)
    assert json.loads(fields["reply"])["content"] == "TD"
