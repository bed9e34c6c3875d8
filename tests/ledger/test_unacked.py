"""What workers hold of the queues, in a real Redis, full or not."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from smsgate.errors import StoreUnavailable
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.strays import Strays
from smsgate.ledger.unacked import Return, Taken, Unacked

MESSAGE = {"body": "x", "headers": {"id": "t-1"}, "properties": {"delivery_tag": "tag", "delivery_info": {}}}


@pytest.fixture(params=[0, 1], ids=["roomy", "full"])
def client(request: pytest.FixtureRequest, start_redis: Callable[..., Any]) -> Iterator[redis.Redis]:
    with start_redis("--maxmemory-policy", "noeviction") as (url, _):
        client = connect_briefly(url)
        client.lpush("sms.otp", "first")
        client.config_set("maxmemory", request.param)
        yield client


@pytest.fixture
def full(client: redis.Redis) -> bool:
    return client.config_get("maxmemory") != {"maxmemory": "0"}


@pytest.fixture
def unacked(client: redis.Redis) -> Unacked:
    return Unacked(client, "unacked_index", "unacked")


def test_what_is_noted_is_where_celerys_own_workers_look(client: redis.Redis, unacked: Unacked) -> None:
    for _ in range(2):
        unacked.note("tag", MESSAGE, "sms.otp")

    assert json.loads(str(client.hget("unacked", "tag"))) == [MESSAGE, "", "sms.otp"]
    assert client.zrange("unacked_index", 0, -1) == ["tag"]


def _entry(tag: str, **more: Any) -> str:
    return json.dumps({"body": "x", "headers": {"id": tag}, "properties": {"delivery_tag": tag}, **more})


def test_what_is_taken_beside_another_is_noted_in_the_same_act(client: redis.Redis, unacked: Unacked) -> None:
    client.config_set("maxmemory", 0)
    client.delete("sms.otp")
    client.rpush("sms.otp", *(_entry(tag) for tag in ("fourth", "third", "second")))
    client.config_set("maxmemory", 1)

    taken = unacked.take(Taken("first", _entry("first")), "sms.otp", "sms.otp", 2)

    assert taken == [Taken("second", _entry("second")), Taken("third", _entry("third"))]
    assert client.lrange("sms.otp", 0, -1) == [_entry("fourth")]
    held = {tag: json.loads(str(entry)) for tag, entry in client.hgetall("unacked").items()}
    assert held == {tag: [json.loads(_entry(tag)), "", "sms.otp"] for tag in ("first", "second", "third")}
    assert sorted(client.zrange("unacked_index", 0, -1)) == ["first", "second", "third"]


def test_a_call_whose_answer_was_lost_gets_the_same_tasks_again(client: redis.Redis, unacked: Unacked) -> None:
    client.config_set("maxmemory", 0)
    client.delete("sms.otp")
    client.rpush("sms.otp", *(_entry(tag, note="短信") for tag in ("fourth", "third", "second")))
    client.config_set("maxmemory", 1)
    first = Taken("first", _entry("first"))
    lost = unacked.take(first, "sms.otp", "sms.otp", 2)

    again = unacked.take(first, "sms.otp", "sms.otp", 2)

    assert sorted(again, key=lambda one: one.tag) == lost
    assert client.llen("sms.otp") == 1
    assert client.hlen("unacked") == 3


def test_a_second_copy_of_a_task_gets_none_of_what_was_taken_with_the_first(
    client: redis.Redis, unacked: Unacked
) -> None:
    client.config_set("maxmemory", 0)
    client.delete("sms.otp")
    client.rpush("sms.otp", *(_entry(tag) for tag in ("third", "second")))
    unacked.take(Taken("first", _entry("first"), at=1.5), "sms.otp", "sms.otp", 1)

    taken = unacked.take(Taken("first", _entry("first"), at=2.5), "sms.otp", "sms.otp", 1)

    assert [one.tag for one in taken] == ["third"]


def test_nothing_is_taken_where_there_is_no_room(client: redis.Redis, unacked: Unacked) -> None:
    assert unacked.take(Taken("tag", _entry("tag")), "sms.otp", "sms.otp", 0) == []
    assert client.llen("sms.otp") == 1
    assert client.hkeys("unacked") == ["tag"]


@pytest.mark.parametrize(
    "junk",
    ["junk", "5", "null", "[]", '"x"', "{}", '{"properties": 3}', _entry(""), _entry("x" * 256), _entry("\u7801")],
)
def test_what_has_no_tag_is_left_to_be_looked_at_by_itself(client: redis.Redis, unacked: Unacked, junk: str) -> None:
    client.config_set("maxmemory", 0)
    client.delete("sms.otp")
    client.rpush("sms.otp", _entry("third"), junk, _entry("second"))

    taken = unacked.take(Taken("first", _entry("first")), "sms.otp", "sms.otp", 5)

    assert [one.tag for one in taken] == ["second"]
    assert client.lrange("sms.otp", 0, -1) == [_entry("third"), junk]


def test_what_was_taken_beside_another_is_given_back_where_it_came_from(client: redis.Redis, unacked: Unacked) -> None:
    client.config_set("maxmemory", 0)
    client.delete("sms.otp")
    client.rpush("sms.otp", _entry("second", note="短信"))
    unacked.take(Taken("first", _entry("first")), "sms.otp", "sms.otp", 1)

    assert unacked.give_back("second", last=False) is Return.BACK

    (back,) = client.lrange("sms.otp", 0, -1)
    assert json.loads(str(back))["note"] == "短信"
    assert json.loads(str(back))["headers"] == {"id": "second", "redelivered": True}


def test_many_are_acknowledged_at_once(client: redis.Redis, unacked: Unacked) -> None:
    for tag in ("first", "second", "third"):
        unacked.note(tag, MESSAGE, "sms.otp")

    unacked.forget("first", "third", "unknown")

    assert client.hkeys("unacked") == ["second"]
    assert client.zrange("unacked_index", 0, -1) == ["second"]


def test_what_is_forgotten_is_acknowledged(client: redis.Redis, unacked: Unacked) -> None:
    unacked.note("tag", MESSAGE, "sms.otp")

    for _ in range(2):
        unacked.forget("tag")

    assert (client.hlen("unacked"), client.zcard("unacked_index")) == (0, 0)


@pytest.mark.parametrize(("last", "place"), [(True, 0), (False, 1)])
def test_what_is_given_back_is_on_its_queue_once(
    client: redis.Redis, unacked: Unacked, full: bool, last: bool, place: int
) -> None:
    unacked.note("tag", MESSAGE, "sms.otp")

    assert unacked.give_back("tag", last=last) is (Return.FULL if full else Return.BACK)
    assert unacked.give_back("tag", last=last) is Return.GONE

    entries = client.lrange("sms.otp", 0, -1)
    assert len(entries) == 2
    assert json.loads(entries[place])["headers"] == {"id": "t-1", "redelivered": True}
    assert (client.hlen("unacked"), client.zcard("unacked_index")) == (0, 0)


def test_what_is_acknowledged_is_not_given_back(client: redis.Redis, unacked: Unacked) -> None:
    unacked.note("tag", MESSAGE, "sms.otp")
    unacked.forget("tag")

    assert unacked.give_back("tag", last=True) is Return.GONE
    assert client.lrange("sms.otp", 0, -1) == ["first"]


def test_what_has_waited_too_long_is_named_oldest_first(client: redis.Redis, unacked: Unacked) -> None:
    for number in range(3):
        unacked.note(f"tag-{number}", MESSAGE, "sms.otp")

    assert unacked.overdue(time.time() - 60) == []
    assert unacked.overdue(time.time() + 60) == ["tag-0", "tag-1", "tag-2"]


def test_of_two_who_find_a_task_overdue_the_second_does_not_tear_it_out_of_the_hands_that_have_it_now(
    client: redis.Redis, unacked: Unacked
) -> None:
    unacked.note("tag", MESSAGE, "sms.otp")
    before = time.time()
    assert unacked.overdue(before) == ["tag"]
    unacked.give_back("tag", last=False, taken_before=before)
    unacked.take(Taken("tag", str(client.rpop("sms.otp"))), "sms.otp", "sms.otp", 0)

    assert unacked.give_back("tag", last=False, taken_before=before) is Return.GONE
    assert client.hkeys("unacked") == ["tag"]
    assert client.lrange("sms.otp", 0, -1) == ["first"]


def test_a_note_of_celerys_own_worker_is_given_back_too(client: redis.Redis, unacked: Unacked) -> None:
    unacked.note("tag", MESSAGE, "sms.otp")
    client.config_set("maxmemory", 0)
    client.hset("unacked", "tag", json.dumps([MESSAGE, "sms.bulk", ""]))

    unacked.give_back("tag", last=True)

    assert client.llen("sms.bulk") == 1


def test_what_a_read_only_redis_refuses_to_take_back_stays_noted(client: redis.Redis, unacked: Unacked) -> None:
    unacked.note("tag", MESSAGE, "sms.otp")
    client.execute_command("REPLICAOF", "127.0.0.1", "1")

    with pytest.raises(StoreUnavailable):
        unacked.give_back("tag", last=True)
    with pytest.raises(StoreUnavailable):
        unacked.forget("tag")

    client.execute_command("REPLICAOF", "NO", "ONE")
    assert client.hkeys("unacked") == ["tag"]


@pytest.mark.parametrize("junk", ["junk", "[1, 2, 3]", "7", "[]", b"\xff"])
def test_what_is_no_note_of_a_workers_is_a_stray_and_holds_up_no_other(
    client: redis.Redis, unacked: Unacked, junk: str | bytes
) -> None:
    client.config_set("maxmemory", 0)
    client.hset("unacked", "junk", junk)
    client.zadd("unacked_index", {"junk": 1})
    unacked.note("tag", MESSAGE, "sms.otp")
    binary = redis.Redis.from_url(f"redis://127.0.0.1:{client.get_connection_kwargs()['port']}/0")

    for tag in Unacked(binary, "unacked_index", "unacked").overdue(time.time() + 1):
        Unacked(binary, "unacked_index", "unacked").give_back(tag, last=False)

    assert client.llen("sms.otp") == 2
    assert Strays(client).count() == 1
    assert (client.hlen("unacked"), client.zcard("unacked_index")) == (0, 0)
