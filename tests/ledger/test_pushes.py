import json
import time
from base64 import b64decode
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smsgate.errors import StoreUnavailable
from smsgate.ledger import keys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.pushes import Push, Pushes, PushKind
from smsgate.phone import Phone
from smsgate.queues import Queue, TaskName
from smsgate.receipt import Reply

PUSH = Push("p1", PushKind.SMS_REPORT, '[{"phone_number": "13800138000"}]')
SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

StartRedis = Callable[..., AbstractContextManager[tuple[str, Any]]]


@pytest.fixture
def pushes(store: redis.Redis) -> Pushes:
    return Pushes(store)


def _tasks(store: redis.Redis) -> list[tuple[str, list[str]]]:
    sealed = [json.loads(entry) for entry in store.lrange(Queue.RECEIPTS, 0, -1)]
    return [(one["headers"]["task"], json.loads(b64decode(one["body"]))[0]) for one in sealed]


def test_a_push_is_stored_with_the_task_that_will_apply_it(pushes: Pushes, store: redis.Redis) -> None:
    pushes.store(PUSH)
    assert pushes.read("p1") == PUSH
    assert _tasks(store) == [(TaskName.RECEIVE, ["p1"])]
    assert store.ttl(keys.push("p1")) in range(keys.PUSH_TTL - 5, keys.PUSH_TTL + 1)


def test_nothing_of_a_push_travels_in_its_task(pushes: Pushes, store: redis.Redis) -> None:
    pushes.store(PUSH)
    assert "13800138000" not in repr(store.lrange(Queue.RECEIPTS, 0, -1))
    assert "13800138000" not in repr(_tasks(store))


@SOME
@given(kind=st.sampled_from(PushKind), body=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
@example(kind=PushKind.SMS_UP, body="")
@example(kind=PushKind.SMS_UP, body="\x00\n\u2028 回复 TD 👋 \ufffd")
def test_a_push_is_read_as_it_came(pushes: Pushes, kind: PushKind, body: str) -> None:
    push = Push("p1", kind, body)
    pushes.store(push)
    assert pushes.read("p1") == push


def test_a_full_redis_takes_neither_push_nor_task(start_redis: StartRedis) -> None:
    with start_redis("--maxmemory-policy", "noeviction") as (url, _):
        store = connect_briefly(url)
        store.config_set("maxmemory", "1")
        with pytest.raises(StoreUnavailable):
            Pushes(store).store(PUSH)
        assert store.keys() == []


def test_a_push_that_was_applied_is_forgotten(pushes: Pushes, store: redis.Redis) -> None:
    pushes.store(PUSH)
    store.delete(Queue.RECEIPTS)
    pushes.done("p1")
    pushes.done("p1")
    assert pushes.read("p1") is None
    assert store.keys() == []


def test_a_push_that_waits_too_long_is_queued_again(
    pushes: Pushes, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushes.store(PUSH)
    pushes.store(Push("p2", PushKind.SMS_UP, "[]"))
    store.delete(Queue.RECEIPTS)  # a worker took both tasks, and died
    assert pushes.requeue(older_than=60) == 0
    _leap(monkeypatch, 61)
    assert pushes.requeue(older_than=60) == 2
    assert sorted(_tasks(store)) == [(TaskName.RECEIVE, ["p1"]), (TaskName.RECEIVE, ["p2"])]


def test_a_push_that_was_queued_again_waits_its_time_anew(
    pushes: Pushes, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushes.store(PUSH)
    _leap(monkeypatch, 61)
    assert (pushes.requeue(older_than=60), pushes.requeue(older_than=60)) == (1, 0)
    assert len(_tasks(store)) == 2


def test_a_push_whose_time_is_over_is_not_queued_again(pushes: Pushes, store: redis.Redis) -> None:
    pushes.store(PUSH)
    store.delete(Queue.RECEIPTS, keys.push("p1"))  # as Redis does when its life ends
    assert pushes.requeue(older_than=-1) == 0
    assert store.keys() == []


def test_as_many_as_asked_for_are_queued_again_the_oldest_first(pushes: Pushes, store: redis.Redis) -> None:
    for number in range(5):
        pushes.store(Push(f"p{number}", PushKind.SMS_REPORT, "[]"))
        time.sleep(0.001)
    store.delete(Queue.RECEIPTS)
    assert pushes.requeue(older_than=-1, limit=2) == 2
    assert sorted(args for _, args in _tasks(store)) == [["p0"], ["p1"]]


def test_replies_are_kept_for_other_programs_to_read(pushes: Pushes, store: redis.Redis) -> None:
    reply = Reply(Phone("+8613800138000"), "TD 退订\n👋", "1069", 1_767_225_600_000, "s1")
    pushes.keep([reply, Reply(Phone("+85251234567"), "", "", None, "")])
    entries = [json.loads(entry["reply"]) for _, entry in store.xrange(keys.REPLIES)]
    assert entries[0] == {
        "phone": "+8613800138000",
        "content": "TD 退订\n👋",
        "destination": "1069",
        "sent_at": 1_767_225_600_000,
        "sequence": "s1",
    }
    assert len(entries) == 2


def test_no_replies_keep_nothing(pushes: Pushes, store: redis.Redis) -> None:
    pushes.keep([])
    assert store.keys() == []


def _leap(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Set the clock of this process forward."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)
