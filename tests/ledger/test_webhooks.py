"""The outbox: every webhook is found, and one task at a time has it."""

import json
from base64 import b64decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest
import redis

from smsgate.flow.dispatch import LEASE, dispatch
from smsgate.ledger import keys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.handing import Handed
from smsgate.ledger.webhooks import Due, Webhooks
from smsgate.message import MessageId
from smsgate.queues import Queue, TaskName

NOW = 1_767_225_600_000
ONE = MessageId("m1")

StartRedis = Callable[..., AbstractContextManager[tuple[str, Any]]]


@pytest.fixture
def outbox(store: redis.Redis) -> Webhooks:
    return Webhooks(store)


def _rest(store: redis.Redis, *ids: str, at: int = NOW) -> None:
    """Do what the move into a resting state does."""
    store.zadd(keys.WEBHOOKS, dict.fromkeys(ids, at))


def _tasks(store: redis.Redis) -> list[tuple[str, list[Any]]]:
    sealed = [json.loads(entry) for entry in store.lrange(Queue.WEBHOOKS, 0, -1)]
    return [(one["headers"]["task"], json.loads(b64decode(one["body"]))[0]) for one in sealed]


def _held(outbox: Webhooks) -> Due:
    assert outbox.lease(Due(ONE, NOW), NOW + 10) is Handed.HANDED
    held = outbox.hold(Due(ONE, NOW + 10), NOW + 20)
    assert held
    return held


def test_what_is_due_is_listed_the_longest_due_first(outbox: Webhooks, store: redis.Redis) -> None:
    _rest(store, "late", at=NOW + 1)
    _rest(store, "b", at=NOW)
    _rest(store, "a", at=NOW - 5)
    assert outbox.due(NOW, limit=10) == [Due(MessageId("a"), NOW - 5), Due(MessageId("b"), NOW)]
    assert outbox.due(NOW, limit=1) == [Due(MessageId("a"), NOW - 5)]


def test_a_lease_queues_the_task_with_what_it_needs_to_take_it_in_hand(outbox: Webhooks, store: redis.Redis) -> None:
    _rest(store, ONE)
    assert outbox.lease(Due(ONE, NOW), NOW + 10) is Handed.HANDED
    assert _tasks(store) == [(TaskName.NOTIFY, [ONE, NOW + 10])]
    assert outbox.due(NOW + 9, limit=10) == []
    assert outbox.hold(Due(ONE, NOW + 10), NOW + 20) == Due(ONE, NOW + 20)


def test_of_many_dispatchers_one_gets_the_lease(outbox: Webhooks, store: redis.Redis) -> None:
    _rest(store, *(f"m{number}" for number in range(50)))
    with ThreadPoolExecutor(4) as pool:
        leased = list(pool.map(lambda _: dispatch(outbox, now=lambda: NOW), range(4)))
    assert sum(leased) == 50
    assert sorted(args[0] for _, args in _tasks(store)) == sorted(f"m{number}" for number in range(50))


def test_a_lost_task_comes_again_when_its_lease_is_over(outbox: Webhooks, store: redis.Redis) -> None:
    _rest(store, ONE)
    assert dispatch(outbox, now=lambda: NOW) == 1
    store.delete(Queue.WEBHOOKS)  # a worker took it, and died
    assert dispatch(outbox, now=lambda: NOW + LEASE - 1) == 0
    assert dispatch(outbox, now=lambda: NOW + LEASE) == 1


def test_of_two_tasks_for_one_webhook_the_older_finds_it_gone(outbox: Webhooks, store: redis.Redis) -> None:
    """The queue was long: the lease ran out before a worker came to it."""
    _rest(store, ONE)
    dispatch(outbox, now=lambda: NOW)
    dispatch(outbox, now=lambda: NOW + LEASE)
    (_, (_, newer)), (_, (_, older)) = _tasks(store)
    assert outbox.hold(Due(ONE, older), NOW + 3 * LEASE) is None
    assert outbox.hold(Due(ONE, newer), NOW + 3 * LEASE)


def test_a_task_that_comes_twice_has_the_webhook_once(outbox: Webhooks, store: redis.Redis) -> None:
    _rest(store, ONE)
    _held(outbox)
    assert outbox.hold(Due(ONE, NOW + 10), NOW + 30) is None


def test_a_webhook_that_was_told_is_forgotten(outbox: Webhooks, store: redis.Redis) -> None:
    _rest(store, ONE)
    held = _held(outbox)
    assert outbox.again(held, NOW + 30, event=4)
    assert outbox.done(Due(ONE, NOW + 30))
    store.delete(Queue.WEBHOOKS)
    assert store.keys() == []


def test_a_message_that_came_to_rest_once_more_is_told_of_again(outbox: Webhooks, store: redis.Redis) -> None:
    """A dead letter was replayed, and delivered, while its first webhook was under way."""
    _rest(store, ONE)
    held = _held(outbox)
    _rest(store, ONE, at=NOW + 15)
    assert not outbox.done(held)
    assert not outbox.again(held, NOW + 99, event=4)
    assert outbox.due(NOW + 15, limit=10) == [Due(ONE, NOW + 15)]


def test_attempts_are_counted_for_each_event_of_a_message(outbox: Webhooks, store: redis.Redis) -> None:
    _rest(store, ONE)
    held = _held(outbox)
    assert outbox.attempts(ONE, 4) == 0
    outbox.again(held, NOW + 30, event=4)
    outbox.again(Due(ONE, NOW + 30), NOW + 40, event=4)
    assert (outbox.attempts(ONE, 4), outbox.attempts(ONE, 6)) == (2, 0)
    assert 0 < store.ttl(keys.webhook_attempts(ONE)) <= keys.WEBHOOK_TTL


def test_waiting_for_an_endpoint_counts_no_attempt(outbox: Webhooks, store: redis.Redis) -> None:
    _rest(store, ONE)
    assert outbox.again(_held(outbox), NOW + 30)
    assert outbox.attempts(ONE, 4) == 0


def test_what_the_queue_has_no_room_for_stays_due(outbox: Webhooks, store: redis.Redis) -> None:
    _rest(store, ONE, "m2")
    assert outbox.lease(Due(ONE, NOW), NOW + 10, most_queued=1) is Handed.HANDED
    assert outbox.lease(Due(MessageId("m2"), NOW), NOW + 10, most_queued=1) is Handed.FULL
    assert outbox.due(NOW, limit=10) == [Due(MessageId("m2"), NOW)]


def test_more_than_one_reading_is_dispatched_in_one_run(outbox: Webhooks, store: redis.Redis) -> None:
    _rest(store, *(f"m{number}" for number in range(150)))
    assert dispatch(outbox, now=lambda: NOW) == 150


def test_a_full_redis_lets_clients_be_told_of_what_it_has_accepted(start_redis: StartRedis) -> None:
    with start_redis("--maxmemory-policy", "noeviction") as (url, _):
        store = connect_briefly(url)
        _rest(store, ONE)
        store.config_set("maxmemory", "1")
        assert dispatch(Webhooks(store), now=lambda: NOW) == 1
        assert Webhooks(store).due(NOW, limit=10) == []
