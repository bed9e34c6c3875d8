from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import product
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsgate.errors import StoreUnavailable
from smsgate.flow.submit import draft
from smsgate.ledger import keys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.records import Event, Move, Record, Records, Result
from smsgate.ledger.retention import Retention
from smsgate.message import Lane, Message, MessageId
from smsgate.states import FINAL, FOLLOWS, RESTING, State, may_follow

AT = 1_767_225_600_000
MESSAGE = Message.check({"to": "13800138000", "template": "T", "params": {"code": "123456"}})
RETENTION = 3600
StartRedis = Callable[..., AbstractContextManager[tuple[str, Any]]]
SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _accepted(records: Records) -> MessageId:
    message_id = MessageId(str(uuid4()))
    records.accept(draft(MESSAGE, message_id, client="", at=AT), slot=None)
    return message_id


def _read(records: Records, message_id: MessageId) -> Record:
    known = records.read(message_id)
    assert known is not None
    return known


def _way_to(state: State) -> list[State]:
    """Find the shortest way from the queue, by the table."""
    ways = [[State.QUEUED]]
    while ways[0][-1] is not state:
        way = ways.pop(0)
        ways += [[*way, after] for after in sorted(FOLLOWS[way[-1]]) if after not in way]
    return ways[0][1:]


def _brought_to(records: Records, state: State) -> MessageId:
    message_id = _accepted(records)
    for step in _way_to(state):
        assert records.move(message_id, step, at=AT).result is Result.MOVED
    return message_id


@pytest.mark.parametrize("old", list(State))
def test_a_message_moves_where_the_table_lets_it_and_stays_otherwise(records: Records, old: State) -> None:
    for new in State:
        message_id = _brought_to(records, old)
        before = _read(records, message_id)
        move = records.move(message_id, new, at=AT + 1, fields={"reason": "moved"})
        after = _read(records, message_id)
        if may_follow(old, new):
            assert move == Move(Result.MOVED, old, 0)
            assert (after.state, after.reason) == (new, "moved")
        else:
            assert move == Move(Result.STAYED, old, 0)
            assert after == before


STEPS = st.lists(st.sampled_from(State), max_size=25)


@SOME
@given(steps=STEPS)
def test_any_row_of_moves_goes_as_the_table_says(records: Records, steps: list[State]) -> None:
    """The model: a state, the events so far. Only what the table allows changes any of them."""
    message_id = _accepted(records)
    state, events = State.QUEUED, [Event(AT, State.QUEUED)]
    for at, wanted in enumerate(steps, start=AT + 1):
        move = records.move(message_id, wanted, at=at, detail={"step": at})
        allowed = wanted in FOLLOWS[state]
        assert move == Move(Result.MOVED if allowed else Result.STAYED, state, 0)
        if allowed:
            state = wanted
            events.append(Event(at, wanted, {"step": at}))
    known = _read(records, message_id)
    assert (known.state, list(known.timeline)) == (state, events)


def test_a_message_that_is_not_there_is_missing_and_is_not_made_up(records: Records, store: redis.Redis) -> None:
    for state in State:
        assert records.move(MessageId("none"), state, at=AT, fields={"reason": "x"}) == Move(Result.MISSING, None, 0)
    assert store.keys() == []


@pytest.mark.parametrize("state", list(State))
def test_a_record_is_kept_by_its_state(records: Records, store: redis.Redis, state: State) -> None:
    message_id = _brought_to(records, state)
    ttl = store.ttl(keys.record(message_id))
    wanted = RETENTION if state in FINAL else keys.OPEN_RECORD_TTL
    assert ttl in range(wanted - 5, wanted + 1)


def test_a_dead_letter_that_is_replayed_is_kept_as_an_open_message_again(records: Records, store: redis.Redis) -> None:
    message_id = _brought_to(records, State.DEAD)
    records.move(message_id, State.QUEUED, at=AT)
    assert store.ttl(keys.record(message_id)) > RETENTION


def test_a_refused_move_does_not_lengthen_the_life_of_a_record(records: Records, store: redis.Redis) -> None:
    message_id = _brought_to(records, State.DELIVERED)
    store.expire(keys.record(message_id), 10)
    records.move(message_id, State.QUEUED, at=AT)
    assert store.ttl(keys.record(message_id)) <= 10


def test_the_timeline_tells_every_step_in_order_with_its_detail(records: Records) -> None:
    message_id = _accepted(records)
    records.move(message_id, State.SENDING, at=AT + 1, detail={"channel": "aliyun", "attempt": 1})
    records.move(message_id, State.QUEUED, at=AT + 2, detail={"reason": "连接\n失败 \u2028 '\"\\"})
    records.move(message_id, State.FAILED, at=AT + 3)  # not allowed, so not told
    records.move(message_id, State.SENDING, at=AT + 4, fields={"attempts": 2})
    records.move(message_id, State.SENT, at=AT + 4, fields={"provider_id": "9001", "reason": ""})
    known = _read(records, message_id)
    assert known.timeline == (
        Event(AT, State.QUEUED),
        Event(AT + 1, State.SENDING, {"channel": "aliyun", "attempt": 1}),
        Event(AT + 2, State.QUEUED, {"reason": "连接\n失败 \u2028 '\"\\"}),
        Event(AT + 4, State.SENDING),
        Event(AT + 4, State.SENT),
    )
    assert (known.attempts, known.provider_id, known.reason) == (2, "9001", None)


def test_a_way_of_two_hundred_attempts_is_told_whole(records: Records) -> None:
    message_id = _accepted(records)
    for at in range(200):
        records.move(message_id, (State.SENDING, State.QUEUED)[at % 2], at=at)
    known = _read(records, message_id)
    assert [event.at for event in known.timeline] == [AT, *range(200)]


def test_eight_workers_that_claim_one_message_at_once_get_it_once(redis_url: str, records: Records) -> None:
    workers = [Records(connect_briefly(redis_url), retention=Retention(60)) for _ in range(8)]
    ready = Barrier(len(workers))

    def claim(worker: Records, message_id: MessageId) -> Move:
        ready.wait(timeout=10)
        return worker.move(message_id, State.SENDING, at=AT)

    with ThreadPoolExecutor(len(workers)) as pool:
        for _ in range(25):
            message_id = _accepted(records)
            moves = list(pool.map(claim, workers, [message_id] * len(workers)))
            assert [move.result for move in moves].count(Result.MOVED) == 1
            assert [move for move in moves if move.result is not Result.MOVED] == [
                Move(Result.STAYED, State.SENDING, 0)
            ] * 7
            assert len(_read(records, message_id).timeline) == 2


def test_a_receipt_and_an_answer_that_race_end_in_the_receipts_state(redis_url: str, records: Records) -> None:
    """Whichever comes first: `sent` never undoes `delivered`."""
    workers = [Records(connect_briefly(redis_url), retention=Retention(60)) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(25):
            message_id = _brought_to(records, State.SENDING)
            ends = product([message_id], [State.SENT, State.DELIVERED])
            list(pool.map(lambda worker, end: worker.move(*end, at=AT), workers, ends))
            assert _read(records, message_id).state is State.DELIVERED


def test_a_message_in_a_full_redis_can_come_to_its_end(start_redis: StartRedis) -> None:
    """New messages are refused there; those that are accepted must go their way, or nothing would ever make room."""
    with start_redis("--maxmemory-policy", "noeviction") as (url, _):
        store = connect_briefly(url)
        records = Records(store, retention=Retention(60))
        message_id = _accepted(records)
        store.config_set("maxmemory", "1")
        for step in (State.SENDING, State.QUEUED, State.SENDING, State.SENT, State.DELIVERED):
            assert records.move(message_id, step, at=AT).result is Result.MOVED
        with pytest.raises(StoreUnavailable):
            _accepted(records)


def test_a_record_that_is_kept_for_ever_outlasts_a_task_that_comes_again(records: Records, store: redis.Redis) -> None:
    message_id = _accepted(records)
    store.persist(keys.record(message_id))
    begun = records.begin(message_id, Lane.NOTICE, redelivered=True, claim=None)
    assert (begun.redeliveries, _read(records, message_id).state) == (1, State.QUEUED)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("url", [None, "https://example.com/sms"])
def test_a_client_that_wants_to_be_told_is_due_to_be_told_at_every_end(
    records: Records, store: redis.Redis, state: State, url: str | None
) -> None:
    message = Message.check({"to": "13800138000", "template": "T", **({"callback_url": url} if url else {})})
    message_id = MessageId(str(uuid4()))
    records.accept(draft(message, message_id, client="", at=AT), slot=None)
    for number, step in enumerate(_way_to(state)):
        records.move(message_id, step, at=AT + number)
    due = AT + len(_way_to(state)) - 1
    assert store.zscore(keys.WEBHOOKS, message_id) == (due if url and state in RESTING else None)
