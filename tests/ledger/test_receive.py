import json
from collections.abc import Callable
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from smsgate.flow.receive import Receive
from smsgate.flow.submit import draft
from smsgate.flow.watch import Watch
from smsgate.ledger import keys
from smsgate.ledger.groups import Groups
from smsgate.ledger.pushes import Push, Pushes, PushKind
from smsgate.ledger.records import Record, Records
from smsgate.message import Message, MessageId
from smsgate.states import State

AT = 1_767_225_600_000
MESSAGE = Message.check({"to": "13800138000", "template": "T"})
REPORT = {
    "phone_number": "13800138000",
    "send_time": "2026-01-01 08:00:00",
    "report_time": "2026-01-01 08:00:05",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "2",
    "biz_id": "9001",
    "out_id": "m1",
}
Apply = Callable[..., None]


@pytest.fixture
def apply(watch: Watch, records: Records, store: redis.Redis, clock: Callable[[], int]) -> Apply:
    """Store a push and apply it, as the web process and a worker do between them."""
    pushes = Pushes(store)

    def one(*entries: Any, kind: PushKind = PushKind.SMS_REPORT, body: str | None = None) -> None:
        pushes.store(Push("p1", kind, json.dumps(entries, ensure_ascii=False) if body is None else body))
        Receive(records, Groups(store), pushes, watch, now=clock)("p1")
        assert store.zcard(keys.PUSHES_WAITING) == 0

    return one


def _in(records: Records, *states: State, message_id: str = "m1") -> None:
    records.accept(draft(MESSAGE, MessageId(message_id), client="", at=AT), slot=None)
    for state in states:
        records.move(MessageId(message_id), state, at=AT)


def _read(records: Records, message_id: str = "m1") -> Record:
    known = records.read(MessageId(message_id))
    assert known is not None
    return known


def test_a_receipt_that_says_delivered_ends_the_message(records: Records, apply: Apply) -> None:
    _in(records, State.SENDING, State.SENT)
    apply(REPORT)
    known = _read(records)
    assert (known.state, known.reason, known.provider_id) == (State.DELIVERED, None, "9001")
    assert known.timeline[-1].detail == {
        "code": "DELIVERED",
        "reported_at": 1_767_225_605_000,
        "segments": 2,
    }


def test_a_receipt_that_says_otherwise_ends_it_with_the_reason_and_the_raw_code(records: Records, apply: Apply) -> None:
    _in(records, State.SENDING, State.SENT)
    apply({**REPORT, "success": False, "err_code": "MOBILE_NOT_ON_SERVICE"})
    known = _read(records)
    assert (known.state, known.reason) == (State.UNDELIVERED, "not_in_service")
    assert known.timeline[-1].detail["code"] == "MOBILE_NOT_ON_SERVICE"


@pytest.mark.parametrize("way", [[State.SENDING], [State.SENDING, State.UNCERTAIN]])
def test_a_receipt_settles_what_nobody_has_written_down_as_sent(
    records: Records, apply: Apply, way: list[State]
) -> None:
    _in(records, *way)
    apply(REPORT)
    assert _read(records).state is State.DELIVERED


def test_a_receipt_that_comes_twice_is_told_once(records: Records, apply: Apply) -> None:
    _in(records, State.SENDING, State.SENT)
    apply(REPORT)
    before = _read(records)
    apply(REPORT, REPORT)
    assert _read(records) == before


def test_the_first_of_two_receipts_that_disagree_stands(records: Records, apply: Apply) -> None:
    _in(records, State.SENDING, State.SENT)
    apply({**REPORT, "success": False, "err_code": "EXPIRED"}, REPORT)
    assert _read(records).state is State.UNDELIVERED


@pytest.mark.parametrize("state", [State.CANCELLED, State.EXPIRED])
def test_a_receipt_for_what_was_never_sent_changes_nothing(records: Records, apply: Apply, state: State) -> None:
    _in(records, state)
    apply(REPORT)
    assert _read(records).state is state


def test_one_push_may_tell_of_many_messages_and_a_bad_one_fails_none(records: Records, apply: Apply) -> None:
    for number in range(3):
        _in(records, State.SENDING, State.SENT, message_id=f"m{number}")
    apply({**REPORT, "out_id": "m0"}, "nonsense", {**REPORT, "out_id": "none"}, {}, None, {**REPORT, "out_id": "m2"})
    assert [_read(records, f"m{number}").state for number in range(3)] == [
        State.DELIVERED,
        State.SENT,
        State.DELIVERED,
    ]


def test_a_record_that_cannot_be_read_fails_no_other_receipt(
    records: Records, store: redis.Redis, apply: Apply
) -> None:
    """A provider pushes many at once, and pushes them again and again until all are taken."""
    for name in ("m1", "m2"):
        _in(records, State.SENDING, State.SENT, message_id=name)
    store.hset(keys.record(MessageId("m1")), "to", "+8612345678901")
    apply(REPORT, {**REPORT, "out_id": "m2"})
    assert _read(records, "m2").state is State.DELIVERED


def test_a_receipt_for_another_phone_is_not_this_messages(records: Records, apply: Apply) -> None:
    _in(records, State.SENDING, State.SENT)
    apply({**REPORT, "phone_number": "13900139000"})
    assert _read(records).state is State.SENT


@pytest.mark.parametrize("number", ["13800138000", "8613800138000", "+8613800138000"])
def test_a_receipt_names_the_phone_in_any_form(records: Records, apply: Apply, number: str) -> None:
    _in(records, State.SENDING, State.SENT)
    apply({**REPORT, "phone_number": number})
    assert _read(records).state is State.DELIVERED


@pytest.mark.parametrize("body", ["", "nonsense", '{"a":', "\x00", "[" * 5000, "5"])
@pytest.mark.parametrize("kind", list(PushKind))
def test_a_push_that_is_none_is_dropped_and_its_body_not_logged(apply: Apply, body: str, kind: PushKind) -> None:
    with capture_logs() as logs:
        apply(body=f"{body}13800138000", kind=kind)
    assert [line["log_level"] for line in logs] == ["error"]
    assert "13800138000" not in repr(logs)


def test_a_push_that_is_gone_is_no_error(watch: Watch, records: Records, store: redis.Redis) -> None:
    Receive(records, Groups(store), Pushes(store), watch)("gone")


def test_a_reply_is_kept_and_its_content_not_logged(store: redis.Redis, apply: Apply) -> None:
    reply = {
        "phone_number": "13800138000",
        "content": "TD 退订",
        "send_time": "2026-01-01 08:00:00",
        "dest_code": "1069",
        "sequence_id": "s1",
    }
    with capture_logs() as logs:
        apply(reply, {"content": "no number"}, kind=PushKind.SMS_UP)
    kept = [json.loads(entry["reply"]) for _, entry in store.xrange(keys.REPLIES)]
    assert [(one["phone"], one["content"]) for one in kept] == [("+8613800138000", "TD 退订")]
    assert "13800138000" not in repr(logs)
    assert "TD" not in repr(logs)


def test_a_receipt_does_not_change_the_id_that_the_provider_answered_with(records: Records, apply: Apply) -> None:
    records.accept(draft(MESSAGE, MessageId("m1"), client="", at=AT), slot=None)
    records.move(MessageId("m1"), State.SENDING, at=AT)
    records.move(MessageId("m1"), State.SENT, at=AT, fields={"provider_id": "theirs"})
    with capture_logs() as logs:
        apply({**REPORT, "biz_id": "another"})
    assert (_read(records).state, _read(records).provider_id) == (State.DELIVERED, "theirs")
    assert [entry["event"] for entry in logs] == ["receipt_of_another_provider_id"]


def test_a_push_that_cannot_be_used_is_kept_for_a_look_and_not_queued_again(
    watch: Watch, records: Records, store: redis.Redis
) -> None:
    pushes = Pushes(store)
    pushes.store(Push("p1", PushKind.SMS_REPORT, "nonsense"))
    Receive(records, Groups(store), pushes, watch)("p1")
    assert pushes.read("p1") == Push("p1", PushKind.SMS_REPORT, "nonsense")
    assert pushes.requeue(older_than=-1) == 0


@pytest.mark.parametrize("end", [State.EXPIRED, State.CANCELLED, State.FAILED, State.DEAD])
def test_a_message_that_was_given_up_and_arrived_after_all_is_told_to_have_arrived(
    records: Records, apply: Apply, end: State
) -> None:
    """Its provider did not know it when it was asked; a dead letter must not be replayed then."""
    records.accept(draft(MESSAGE, MessageId("m1"), client="", at=AT), slot=None)
    for state in (State.SENDING, State.UNCERTAIN):
        records.move(MessageId("m1"), state, at=AT, fields={"attempts": 1})
    if end is State.FAILED:
        records.move(MessageId("m1"), State.QUEUED, at=AT)
        records.move(MessageId("m1"), State.SENDING, at=AT, fields={"attempts": 2})
    records.move(MessageId("m1"), end, at=AT)
    apply(REPORT)
    assert _read(records).state is State.DELIVERED


@pytest.mark.parametrize("end", [State.QUEUED, State.EXPIRED, State.CANCELLED])
def test_a_receipt_for_what_was_never_tried_is_not_ours(records: Records, apply: Apply, end: State) -> None:
    records.accept(draft(MESSAGE, MessageId("m1"), client="", at=AT), slot=None)
    if end is not State.QUEUED:
        records.move(MessageId("m1"), end, at=AT)
    apply(REPORT)
    assert _read(records).state is end
