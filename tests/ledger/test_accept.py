from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import redis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smsgate.errors import IdempotencyConflict, InvalidMessage, StoreUnavailable
from smsgate.flow.submit import Submit, draft
from smsgate.ledger import keys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.records import Acceptance, Event, Record, Records
from smsgate.ledger.retention import Retention
from smsgate.ledger.slots import Slot
from smsgate.message import Lane, Message, MessageId
from smsgate.queues import LANE_QUEUES
from smsgate.states import State

AT = 1_767_225_600_000
GOOD = {"to": "13800138000", "template": "SMS_154950909", "params": {"code": "123456"}}
MESSAGE = Message.check(GOOD)
OTHER = Message.check({**GOOD, "params": {"code": "654321"}})
QUEUE = LANE_QUEUES[Lane.NOTICE]
SOME = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

StartRedis = Callable[..., AbstractContextManager[tuple[str, Any]]]


TASK = Slot(QUEUE, "task")


def _draft(message_id: str = "m1", client: str = "shop") -> Record:
    return draft(MESSAGE, MessageId(message_id), client=client, at=AT)


def test_an_accepted_message_leaves_its_record_and_its_task(records: Records, store: redis.Redis) -> None:
    assert records.accept(_draft(), TASK) == (Acceptance.ACCEPTED, "m1", False)
    assert records.read(MessageId("m1")) == _draft()
    assert store.lrange(QUEUE, 0, -1) == ["task"]


@pytest.mark.parametrize("lane", list(Lane))
def test_a_task_goes_to_the_queue_of_its_lane(records: Records, store: redis.Redis, lane: Lane) -> None:
    message = Message.check({**GOOD, "lane": lane.value})
    Submit(records)(message)
    assert {queue: store.llen(queue) for queue in LANE_QUEUES.values()} == {
        queue: int(queue == LANE_QUEUES[lane]) for queue in LANE_QUEUES.values()
    }


def test_the_first_task_in_is_the_first_out(records: Records, store: redis.Redis) -> None:
    """Kombu takes from the right."""
    for name in ("m1", "m2"):
        records.accept(_draft(name), Slot(QUEUE, name))
    assert store.rpop(QUEUE) == "m1"


def test_a_record_alone_queues_nothing(records: Records, store: redis.Redis) -> None:
    records.accept(_draft(), slot=None)
    assert store.keys("sms.*") == []


def test_an_open_record_is_kept_longer_than_any_message_can_live_and_not_for_ever(
    records: Records, store: redis.Redis
) -> None:
    records.accept(_draft(), TASK)
    assert store.ttl(keys.record(MessageId("m1"))) in range(keys.OPEN_RECORD_TTL - 5, keys.OPEN_RECORD_TTL + 1)


def test_a_call_repeated_with_the_same_id_is_a_replay_and_queues_once(records: Records, store: redis.Redis) -> None:
    records.accept(_draft(), TASK)
    assert records.accept(_draft(), Slot(QUEUE, "task again")) == (Acceptance.REPLAYED, "m1", False)
    assert store.lrange(QUEUE, 0, -1) == ["task"]


def test_a_replay_does_not_turn_back_what_has_happened_since(records: Records) -> None:
    records.accept(_draft(), TASK)
    records.move(MessageId("m1"), State.SENDING, at=AT + 1)
    records.accept(_draft(), TASK)
    known = records.read(MessageId("m1"))
    assert known is not None
    assert known.state is State.SENDING


def test_the_same_key_and_message_answers_with_the_first_id(records: Records, store: redis.Redis) -> None:
    submit = Submit(records)
    first = submit(MESSAGE, client="shop", idempotency_key="k")
    again = submit(MESSAGE, client="shop", idempotency_key="k")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.id == first.id
    assert store.llen(QUEUE) == 1


def test_the_same_key_with_another_message_is_a_conflict_and_queues_nothing(
    records: Records, store: redis.Redis
) -> None:
    submit = Submit(records)
    submit(MESSAGE, client="shop", idempotency_key="k")
    before = sorted(store.keys())
    with pytest.raises(IdempotencyConflict):
        submit(OTHER, client="shop", idempotency_key="k")
    assert store.llen(QUEUE) == 1
    assert sorted(store.keys()) == before


def test_clients_do_not_share_their_keys(records: Records) -> None:
    submit = Submit(records)
    ids = {submit(MESSAGE, client=client, idempotency_key="k").id for client in ("shop", "bank")}
    assert len(ids) == 2


@SOME
@given(
    one=st.tuples(st.text(max_size=8), st.text(min_size=1, max_size=8)),
    two=st.tuples(st.text(max_size=8), st.text(min_size=1, max_size=8)),
)
@example(one=("a:b", "c"), two=("a", "b:c"))
def test_different_clients_or_keys_never_claim_the_same(one: tuple[str, str], two: tuple[str, str]) -> None:
    assert (keys.idempotency(*one) == keys.idempotency(*two)) is (one == two)


def test_a_key_is_not_to_be_read_in_redis_and_lives_for_a_day(records: Records, store: redis.Redis) -> None:
    Submit(records)(MESSAGE, client="shop", idempotency_key="order 13800138000")
    claim = next(iter(store.keys("sms:idem:*")))
    assert "13800138000" not in claim
    assert store.ttl(claim) in range(keys.IDEMPOTENCY_TTL - 5, keys.IDEMPOTENCY_TTL + 1)


def test_eight_at_once_with_one_key_are_accepted_once(redis_url: str, records: Records, store: redis.Redis) -> None:
    submits = [Submit(Records(connect_briefly(redis_url), retention=Retention(60))) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda submit: submit(MESSAGE, client="shop", idempotency_key="k"), submits))
    assert len({answer.id for answer in answers}) == 1
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 7
    assert store.llen(QUEUE) == 1


def test_a_redis_that_is_full_takes_nothing_rather_than_a_half(start_redis: StartRedis) -> None:
    with start_redis("--maxmemory-policy", "noeviction") as (url, _):
        store = connect_briefly(url)
        submit = Submit(Records(store, retention=Retention(60)))
        submit(MESSAGE, client="shop", idempotency_key="before")
        before = sorted(store.keys()), store.llen(QUEUE)
        store.config_set("maxmemory", "1mb" if int(store.info("memory")["used_memory"]) > 1_048_576 else "1")
        for key in ("k", "k", None):
            with pytest.raises(StoreUnavailable) as refusal:
                submit(MESSAGE, client="shop", idempotency_key=key, message_id=None if key else "m1")
            assert "13800138000" not in str(refusal.value)
        assert (sorted(store.keys()), store.llen(QUEUE)) == before
        store.config_set("maxmemory", "0")
        assert not submit(MESSAGE, client="shop", idempotency_key="k").replayed


def test_a_redis_that_fills_up_between_two_messages_holds_whole_ones_only(start_redis: StartRedis) -> None:
    with start_redis("--maxmemory", "2mb", "--maxmemory-policy", "noeviction") as (url, _):
        store = connect_briefly(url)
        submit = Submit(Records(store, retention=Retention(60)))
        long = Message.check({**GOOD, "params": {f"v{n}": "x" * 500 for n in range(32)}})
        accepted = _accepted_until_full(submit, long)
        store.config_set("maxmemory", "0")
        assert accepted > 0
        assert store.llen(QUEUE) == accepted
        assert len(store.keys("sms:msg:*")) == len(store.keys("sms:idem:*")) == accepted


def _accepted_until_full(submit: Submit, message: Message) -> int:
    for accepted in range(1000):
        try:
            submit(message, client="shop", idempotency_key=str(accepted))
        except StoreUnavailable:
            return accepted
    pytest.fail("Redis did not fill up")


def test_a_record_taken_back_leaves_nothing(records: Records, store: redis.Redis) -> None:
    Submit(records).reserve(MESSAGE, MessageId("m1"))
    records.forget(_draft())
    assert records.read(MessageId("m1")) is None
    assert store.keys() == []


def test_what_was_never_accepted_is_none(records: Records) -> None:
    assert records.read(MessageId("none")) is None


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=50)
PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


@SOME
@given(
    params=st.dictionaries(st.text("abz_09验证码", min_size=1, max_size=8), TEXT, max_size=4),
    sign=st.none() | PRINTABLE,
    reference=st.none() | PRINTABLE,
    valid_for=st.none() | st.integers(min_value=1, max_value=604_800),
    lane=st.sampled_from([lane.value for lane in Lane]),
    detail=st.dictionaries(
        PRINTABLE.filter(lambda name: name not in ("at", "state")), TEXT | st.integers(), max_size=3
    ),
)
@example(
    params={"验证码": "\u2028\u2029\x85\r\n\"'\\\t", "name": "👩‍👩‍👧 您好"},
    sign="阿里云短信测试",
    reference="\u2028\u2029 'order' \"1\" \\n",
    valid_for=None,
    lane="otp",
    detail={"reason": "a\nb\u2028c\x85", "说明": "\r\n"},
)
def test_a_record_is_read_as_it_was_written(
    records: Records, params: dict[str, str], detail: dict[str, Any], **fields: Any
) -> None:
    given_fields = {name: value for name, value in fields.items() if value is not None}
    message = Message.check({"to": "13800138000", "template": "T", "params": params, **given_fields})
    begun = draft(message, MessageId(str(uuid4())), client="shop", at=AT)
    record = replace(begun, timeline=(*begun.timeline, Event(AT + 1, State.QUEUED, detail)))
    records.accept(record, slot=None)
    assert records.read(record.id) == record


@SOME
@given(detail=st.dictionaries(PRINTABLE.filter(lambda name: name not in ("at", "state")), TEXT, max_size=3))
def test_an_event_is_one_line(detail: dict[str, str]) -> None:
    event = Event(AT, State.SENT, detail)
    assert event.line().count("\n") == 1
    assert event.line().isascii()
    assert Event.read(event.line()) == event


def test_a_record_accepted_under_older_rules_can_still_be_read(records: Records, store: redis.Redis) -> None:
    """Rules and numbering plans change with versions; what was accepted must not become unreadable."""
    records.accept(_draft(), TASK)
    store.hset(keys.record(MessageId("m1")), "to", "+8612345678901")
    known = records.read(MessageId("m1"))
    assert known is not None
    assert known.state is State.QUEUED


def test_an_accepted_message_is_looked_after_when_it_expires_and_found_if_its_task_is_lost(
    records: Records, store: redis.Redis
) -> None:
    records.accept(_draft(), TASK)
    assert store.zrange(keys.due(Lane.NOTICE), 0, -1, withscores=True) == [("m1", _draft().valid_until)]
    assert store.zrange(keys.waiting(Lane.NOTICE), 0, -1, withscores=True) == [("m1", AT)]


def _at(seconds: float) -> Message:
    return Message.check({**GOOD, "send_at": datetime.fromtimestamp(AT / 1000 + seconds, UTC)})


def test_a_message_with_a_time_to_send_gets_its_task_when_that_has_come(records: Records, store: redis.Redis) -> None:
    submitted = Submit(records, now=lambda: AT)(_at(3600), client="shop", idempotency_key="k")
    assert store.llen(QUEUE) == 0
    assert store.zrange(keys.due(Lane.NOTICE), 0, -1, withscores=True) == [(submitted.id, AT + 3_600_000)]
    known = records.read(submitted.id)
    assert known is not None
    assert known.valid_until == AT + 3_600_000 + MESSAGE.seconds_valid * 1000
    assert known.timeline == (Event(AT, State.QUEUED, {"send_at": AT + 3_600_000}),)
    assert store.ttl(keys.idempotency("shop", "k")) > keys.IDEMPOTENCY_TTL + 3590


def test_a_time_to_send_that_has_just_passed_is_now(records: Records, store: redis.Redis) -> None:
    Submit(records, now=lambda: AT)(_at(-299))
    assert store.llen(QUEUE) == 1


@pytest.mark.parametrize("seconds", [-301, -86_400, 30 * 86_400 + 1])
def test_a_time_to_send_that_nobody_can_mean_is_refused(records: Records, store: redis.Redis, seconds: float) -> None:
    submit = Submit(records, now=lambda: AT)
    with pytest.raises(InvalidMessage, match="send_at"):
        submit(_at(seconds))
    with pytest.raises(InvalidMessage, match="send_at"):
        submit.reserve(_at(seconds), MessageId("m1"))
    assert store.keys() == []
