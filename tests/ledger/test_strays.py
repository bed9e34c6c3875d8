"""Strays in a real Redis: kept whole, few enough, put back or dropped."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis

from smsgate.errors import StoreUnavailable
from smsgate.ledger import keys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.strays import Stray, StrayReason, Strays

STRAY = Stray("s1", "sms.otp", StrayReason.NOT_JSON, None, 1_767_225_600_000, "13800138000 {")


def test_a_stray_is_read_as_it_was_stored(store: redis.Redis) -> None:
    strays = Strays(store)

    strays.store(replace(STRAY, task_id="t-1"))

    assert strays.read("s1") == replace(STRAY, task_id="t-1")
    assert strays.newest() == [replace(STRAY, task_id="t-1")]
    assert 0 < store.ttl(keys.stray("s1")) <= keys.STRAY_TTL


def test_a_stray_that_is_stored_again_is_one(store: redis.Redis) -> None:
    strays = Strays(store)

    for _ in range(2):
        strays.store(STRAY)

    assert strays.newest() == [STRAY]


def test_the_newest_strays_come_first_and_no_more_than_asked_for(store: redis.Redis) -> None:
    strays = Strays(store)
    for number in range(5):
        strays.store(replace(STRAY, id=f"s{number}", at=STRAY.at + number))

    assert [stray.id for stray in strays.newest(2)] == ["s4", "s3"]


def test_the_oldest_strays_make_room(store: redis.Redis) -> None:
    strays = Strays(store, most=3)

    for number in range(5):
        strays.store(replace(STRAY, id=f"s{number}", at=STRAY.at + number))

    assert [stray.id for stray in strays.newest()] == ["s4", "s3", "s2"]
    assert sorted(map(str, store.keys("sms:stray:*"))) == ["sms:stray:s2", "sms:stray:s3", "sms:stray:s4"]


def test_what_has_lapsed_is_no_longer_counted(store: redis.Redis) -> None:
    strays = Strays(store)
    strays.store(STRAY)

    strays.store(replace(STRAY, id="s2", at=STRAY.at + keys.STRAY_TTL * 1000))

    assert strays.count() == 1


def test_a_strays_entry_is_never_shown() -> None:
    assert "13800138000" not in repr(STRAY)


@pytest.mark.parametrize("entry", [b"\xff\xfe\x00", b"", "号码 13800138000".encode(), b'{"a": 1}\n'])
def test_a_requeued_stray_is_the_very_entry_again_and_no_stray_any_more(store: redis.Redis, entry: bytes) -> None:
    strays = Strays(store)
    strays.store(replace(STRAY, entry=entry.decode("utf-8", "surrogateescape")))
    raw = redis.Redis(connection_pool=redis.ConnectionPool(**_without_decoding(store)))

    assert strays.requeue("s1")

    assert raw.lrange("sms.otp", 0, -1) == [entry]
    assert (strays.newest(), strays.read("s1"), strays.requeue("s1")) == ([], None, False)
    assert raw.llen("sms.otp") == 1


def test_a_dropped_stray_is_gone(store: redis.Redis) -> None:
    strays = Strays(store)
    strays.store(STRAY)

    assert (strays.drop("s1"), strays.drop("s1")) == (True, False)
    assert (strays.newest(), store.llen("sms.otp"), store.dbsize()) == ([], 0, 0)


def test_a_full_redis_takes_a_stray_and_gives_none_back_half(start_redis: Callable[..., Any]) -> None:
    with start_redis("--maxmemory-policy", "noeviction") as (url, _):
        client = connect_briefly(url)
        strays = Strays(client)
        client.config_set("maxmemory", 1)

        strays.store(STRAY)
        with pytest.raises(StoreUnavailable):
            strays.requeue("s1")

        assert strays.newest() == [STRAY]
        assert client.llen("sms.otp") == 0
        assert strays.drop("s1")


def _without_decoding(client: redis.Redis) -> dict[str, Any]:
    known = client.connection_pool.connection_kwargs
    return {name: known[name] for name in ("host", "port", "db")}
