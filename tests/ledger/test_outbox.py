"""Tasks on their way to a broker of their own: taken in order, given back when they do not arrive."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import redis

from smsgate.ledger import keys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.outbox import Outbox, Parcel, queued
from smsgate.queues import Queue


@pytest.fixture
def outbox(store: redis.Redis) -> Outbox:
    return Outbox(store)


def _fill(store: redis.Redis, queue: Queue, count: int) -> list[str]:
    entries = [f"{queue} {number}" for number in range(count)]
    for entry in entries:
        store.lpush(queue, entry)
    return entries


def _entries(parcel: Parcel) -> list[str]:
    return [posted.entry for posted in parcel.posted]


def _oldest_first(store: redis.Redis, queue: Queue) -> list[str]:
    return list(reversed(store.lrange(queue, 0, -1)))


def test_an_empty_outbox_gives_an_empty_parcel_and_keeps_nothing(outbox: Outbox, store: redis.Redis) -> None:
    assert outbox.take().posted == []
    assert store.dbsize() == 0


def test_the_urgent_go_first_and_each_queue_has_its_share_in_order(outbox: Outbox, store: redis.Redis) -> None:
    bulk, codes = _fill(store, Queue.BULK, 5), _fill(store, Queue.OTP, 2)
    parcel = outbox.take(3)
    assert _entries(parcel) == [*codes, *bulk[:3]]
    assert [posted.queue for posted in parcel.posted] == [*[Queue.OTP] * 2, *[Queue.BULK] * 3]
    assert _entries(outbox.take(3)) == bulk[3:]


def test_what_was_handed_on_is_forgotten_and_counted_at_the_broker(outbox: Outbox, store: redis.Redis) -> None:
    _fill(store, Queue.OTP, 3)
    outbox.handed_on(outbox.take())
    assert store.keys() == [keys.AT_BROKER]
    assert outbox.at_broker() == {Queue.OTP: 3}
    assert 0 < store.ttl(keys.AT_BROKER) <= keys.AT_BROKER_TTL


def test_what_was_not_is_the_next_and_what_was_refused_the_last(outbox: Outbox, store: redis.Redis) -> None:
    entries = _fill(store, Queue.OTP, 6)
    parcel = outbox.take(4)
    outbox.handed_on(parcel, left=[2, 3], refused=[0])
    assert _oldest_first(store, Queue.OTP) == [*entries[2:], entries[0]]
    assert outbox.at_broker() == {Queue.OTP: 1}


def test_a_parcel_is_put_back_whole_and_in_order(outbox: Outbox, store: redis.Redis) -> None:
    entries = {queue: _fill(store, queue, 250) for queue in (Queue.OTP, Queue.BULK)}
    outbox.put_back(outbox.take(200))
    assert {queue: _oldest_first(store, queue) for queue in entries} == entries
    assert store.zcard(keys.PARCELS) == 0


def test_what_is_no_text_holds_up_nothing_and_stays_what_it_is(outbox: Outbox, store: redis.Redis) -> None:
    store.lpush(Queue.OTP, b"\xff\xfe", "a task")
    parcel = outbox.take()
    assert len(parcel.posted) == 2
    outbox.put_back(parcel)
    assert [entry.encode(errors="surrogateescape") for entry in _oldest_first(store, Queue.OTP)] == [
        b"\xff\xfe",
        b"a task",
    ]


def test_what_a_dead_process_had_taken_is_handed_on_by_the_next_once_its_lease_is_over(store: redis.Redis) -> None:
    entries = _fill(store, Queue.OTP, 5)
    dead = Outbox(store, lease=300).take(3)
    assert _entries(Outbox(store).take(1)) == entries[3:4]
    time.sleep(0.35)
    assert _entries(Outbox(store).take()) == [*entries[:3], entries[4]]
    # Were it not dead but slow, what it says now would change nothing.
    Outbox(store).put_back(dead)
    assert store.llen(Queue.OTP) == 0


def test_nothing_is_lost_between_two_that_take_at_once(outbox: Outbox, store: redis.Redis) -> None:
    entries = _fill(store, Queue.NOTICE, 30)
    parcels = [outbox.take(10) for _ in range(4)]
    assert [one for parcel in parcels for one in _entries(parcel)] == entries
    assert outbox.waiting() == 30


def test_a_queue_counts_what_is_here_and_what_the_broker_holds(outbox: Outbox, store: redis.Redis) -> None:
    _fill(store, Queue.BULK, 2)
    assert queued(store, Queue.BULK) == 2
    outbox.note_at_broker({Queue.BULK: 40, Queue.OTP: -1})
    assert (queued(store, Queue.BULK), queued(store, Queue.OTP)) == (42, 0)


def test_how_many_the_broker_holds_is_known_in_a_full_redis_and_of_no_queue_that_cannot_be_counted(
    start_redis: Callable[..., AbstractContextManager[tuple[str, object]]],
) -> None:
    with start_redis("--maxmemory-policy", "noeviction") as (url, _):
        store = connect_briefly(url)
        outbox = Outbox(store)
        outbox.note_at_broker({Queue.OTP: 1, Queue.BULK: 7})
        store.config_set("maxmemory", 1)
        outbox.note_at_broker({Queue.BULK: 2})
        assert outbox.at_broker() == {Queue.BULK: 2}
        assert 0 < store.ttl(keys.AT_BROKER) <= keys.AT_BROKER_TTL
