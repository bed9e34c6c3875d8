"""From the outbox to a broker: here another database of the same server, by kombu's own publisher."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from subprocess import Popen

import pytest
import redis
from kombu import Connection

from smsgate.broker.publisher import Publisher
from smsgate.errors import BrokerUnavailable
from smsgate.flow.hand_on import HandOn
from smsgate.flow.submit import Submit
from smsgate.ledger.envelope import unseal
from smsgate.ledger.outbox import Outbox
from smsgate.ledger.records import Records
from smsgate.ledger.strays import Strays
from smsgate.message import Message
from smsgate.queues import Queue

MESSAGE = Message.check({"to": "13800138000", "template": "T", "params": {"code": "135790"}, "lane": "otp"})


@pytest.fixture
def broker_url(redis_url: str) -> str:
    return redis_url.removesuffix("/0") + "/1"


@pytest.fixture
def broker(broker_url: str, store: redis.Redis) -> redis.Redis:
    """The broker; `store` has emptied both."""
    return redis.Redis.from_url(broker_url, decode_responses=True)


@pytest.fixture
def hand_on(store: redis.Redis, broker_url: str) -> Iterator[HandOn]:
    publisher = Publisher(broker_url, {})
    yield HandOn(Outbox(store), publisher, lambda: Strays(store))
    publisher.close()


def test_a_message_reaches_the_broker_as_it_was_sealed(
    hand_on: HandOn, records: Records, store: redis.Redis, broker: redis.Redis
) -> None:
    Submit(records)(MESSAGE, message_id="m1")
    (sealed,) = store.lrange(Queue.OTP, 0, -1)
    hand_on.at_once()
    (entry,) = broker.lrange(Queue.OTP, 0, -1)
    arrived, was = json.loads(entry), json.loads(sealed)
    assert unseal(entry) == unseal(sealed)
    assert arrived["headers"]["id"] == "m1"
    assert "13800138000" not in json.dumps([arrived["headers"], arrived["properties"]])
    for message in (arrived, was):
        del message["properties"]["delivery_tag"]
    assert arrived == was
    assert store.llen(Queue.OTP) == 0


def test_a_backlog_goes_whole_and_in_order(hand_on: HandOn, records: Records, broker: redis.Redis) -> None:
    submit = Submit(records)
    ids = [submit(MESSAGE).id for _ in range(1000)]
    assert hand_on(10) == 1000
    arrived = [json.loads(one)["headers"]["id"] for one in reversed(broker.lrange(Queue.OTP, 0, -1))]
    assert arrived == ids


def test_how_many_the_broker_holds_is_noted(hand_on: HandOn, records: Records, store: redis.Redis) -> None:
    Submit(records)(MESSAGE)
    hand_on(1)
    assert Outbox(store).at_broker() == {**dict.fromkeys(Queue, 0), Queue.OTP: 1}
    assert hand_on.waiting_in(Queue.OTP) == 1


def test_while_the_broker_is_away_everything_stays_and_nobody_waits_for_it(
    records: Records, store: redis.Redis
) -> None:
    away = HandOn(Outbox(store), Publisher("redis://127.0.0.1:1/0", {}), lambda: Strays(store))
    submit = Submit(records)
    ids = [submit(MESSAGE).id for _ in range(50)]
    began = time.monotonic()
    for _ in ids:
        away.at_once()
    assert time.monotonic() - began < 1
    with pytest.raises(BrokerUnavailable) as error:
        away(1)
    assert "127.0.0.1" not in str(error.value)
    assert [json.loads(one)["headers"]["id"] for one in reversed(store.lrange(Queue.OTP, 0, -1))] == ids


def test_a_connection_that_the_broker_closed_meanwhile_costs_nothing(
    hand_on: HandOn, records: Records, broker: redis.Redis
) -> None:
    submit = Submit(records)
    for count in (1, 2):
        submit(MESSAGE)
        hand_on.at_once()
        assert broker.llen(Queue.OTP) == count
        broker.client_kill_filter(_type="normal", skipme=True)


@pytest.mark.parametrize("entry", ["rubbish", "{}", '{"body": 1, "headers": {}, "properties": {}}', "[" * 100_000])
def test_what_is_no_message_is_kept_for_an_operator_and_holds_up_nothing(
    hand_on: HandOn, records: Records, store: redis.Redis, broker: redis.Redis, entry: str
) -> None:
    store.lpush(Queue.OTP, entry)
    Submit(records)(MESSAGE)
    hand_on.at_once()
    assert broker.llen(Queue.OTP) == 1
    (stray,) = Strays(store).newest()
    assert (stray.queue, stray.entry) == (Queue.OTP, entry)


def test_what_is_no_message_is_kept_once_however_often_the_broker_is_tried_in_vain(
    records: Records, store: redis.Redis
) -> None:
    store.lpush(Queue.OTP, "rubbish")
    Submit(records)(MESSAGE, message_id="m1")
    away = HandOn(Outbox(store), Publisher("redis://127.0.0.1:1/0", {}), lambda: Strays(store))
    for _ in range(3):
        with pytest.raises(BrokerUnavailable):
            away(1)
    assert [one.entry for one in Strays(store).newest()] == ["rubbish"]
    assert [json.loads(one)["headers"]["id"] for one in store.lrange(Queue.OTP, 0, -1)] == ["m1"]


def test_one_that_cannot_be_published_holds_up_no_other(records: Records, store: redis.Redis) -> None:
    """AMQP knows no number of 65 bits; Redis takes whatever is JSON."""
    url = os.environ.get("SMSGATE_TESTS_AMQP_URL")
    if url is None:
        pytest.skip("SMSGATE_TESTS_AMQP_URL names no broker")
    submit, publisher = Submit(records), Publisher(url, {})
    with Connection(url) as connection:
        connection.default_channel.queue_delete(Queue.OTP)
    submit(MESSAGE)
    refused = json.loads(str(store.rpop(Queue.OTP)))
    refused["headers"]["retries"] = 2**64
    store.lpush(Queue.OTP, json.dumps(refused))
    for _ in range(5):
        submit(MESSAGE)
    hand_on = HandOn(Outbox(store), publisher, lambda: Strays(store))
    hand_on.at_once()
    assert store.lrange(Queue.OTP, 0, -1) == [json.dumps(refused)]
    assert hand_on.waiting_in(Queue.OTP) == 5
    publisher.close()


def test_a_broker_that_is_full_keeps_nothing_and_loses_nothing(
    records: Records, store: redis.Redis, start_redis: Callable[..., AbstractContextManager[tuple[str, object]]]
) -> None:
    submit = Submit(records)
    ids = [submit(MESSAGE).id for _ in range(6)]
    with start_redis("--maxmemory", "1") as (url, _):
        full = HandOn(Outbox(store), Publisher(url, {}), lambda: Strays(store))
        full.at_once()
        assert store.llen(Queue.OTP) == 6
        redis.Redis.from_url(url).config_set("maxmemory", 0)
        assert full(5) == 6
        arrived = redis.Redis.from_url(url, decode_responses=True).lrange(Queue.OTP, 0, -1)
    assert sorted(json.loads(one)["headers"]["id"] for one in arrived) == sorted(ids)


def _notice() -> Message:
    return Message.check({"to": "13800138000", "template": "T", "lane": "notice"})


def _said(broker: redis.Redis, queue: Queue) -> list[str]:
    return [json.loads(one)["headers"]["id"] for one in reversed(broker.lrange(queue, 0, -1))]


def test_a_queue_that_the_broker_refuses_holds_up_no_other_and_hides_none(
    hand_on: HandOn, records: Records, store: redis.Redis, broker: redis.Redis
) -> None:
    """Here its name is taken by something else; elsewhere it is full, or was declared in another way."""
    broker.set(Queue.OTP, "not a list")
    submit = Submit(records)
    codes = [submit(MESSAGE).id for _ in range(10)]
    notices = [submit(_notice()).id for _ in range(150)]
    hand_on.at_once()
    assert _said(broker, Queue.NOTICE) == notices[:20]
    assert hand_on(2) == 130
    assert _said(broker, Queue.NOTICE) == notices
    assert Outbox(store).at_broker() == {**dict.fromkeys(set(Queue) - {Queue.OTP}, 0), Queue.NOTICE: 150}
    with pytest.raises(BrokerUnavailable, match=r"sms\.otp"):
        hand_on.waiting_in(Queue.OTP)
    broker.delete(Queue.OTP)
    assert hand_on(2) == 10
    assert sorted(_said(broker, Queue.OTP)) == codes


def test_one_on_which_the_broker_hangs_up_holds_up_no_other(
    records: Records, store: redis.Redis, start_redis: Callable[..., AbstractContextManager[tuple[str, object]]]
) -> None:
    """Redis does so where a message is larger than it may be; RabbitMQ where its headers are."""
    submit = Submit(records)
    submit(MESSAGE)
    large = json.loads(str(store.rpop(Queue.OTP)))
    large["headers"]["argsrepr"] = "x" * 2**21
    store.lpush(Queue.OTP, json.dumps(large))
    ids = [submit(MESSAGE).id for _ in range(5)]
    with start_redis() as (url, _):
        broker = redis.Redis.from_url(url, decode_responses=True)
        broker.config_set("proto-max-bulk-len", 2**20)
        hand_on = HandOn(Outbox(store), Publisher(url, {}), lambda: Strays(store))
        assert hand_on(3) == 5
        assert _said(broker, Queue.OTP) == ids
    assert store.lrange(Queue.OTP, 0, -1) == [json.dumps(large)]


def test_a_broker_that_is_slow_or_silent_is_waited_for_by_one_and_not_for_long_by_others(
    records: Records, store: redis.Redis, start_redis: Callable[..., AbstractContextManager[tuple[str, Popen[bytes]]]]
) -> None:
    submit = Submit(records)
    with start_redis() as (url, server):
        hand_on = HandOn(Outbox(store), Publisher(url, {}), lambda: Strays(store))
        submit(MESSAGE)
        hand_on.at_once()
        server.send_signal(signal.SIGSTOP)
        submit(MESSAGE)
        first = threading.Thread(target=hand_on.at_once)
        first.start()
        time.sleep(0.1)
        began = time.monotonic()
        for _ in range(50):
            hand_on.at_once()
        assert time.monotonic() - began < 1
        server.send_signal(signal.SIGCONT)
        first.join()
        assert hand_on(3) + redis.Redis.from_url(url).llen(Queue.OTP) >= 2
    assert store.llen(Queue.OTP) == 0
