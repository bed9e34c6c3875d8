import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smsgate.errors import StoreUnavailable
from smsgate.ledger import keys
from smsgate.ledger.api_keys import TRUST, ApiKeys
from smsgate.ledger.connection import connect_briefly

StartRedis = Callable[..., AbstractContextManager[tuple[str, Any]]]
SOME = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def api_keys(store: redis.Redis) -> ApiKeys:
    return ApiKeys(store)


def _leap(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Set the clock of this process forward."""
    monotonic = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + seconds)


def _key_id(key: str) -> str:
    return key.split("_")[1]


def test_a_key_names_its_client(api_keys: ApiKeys) -> None:
    assert [api_keys.client_of(api_keys.create(client)) for client in ("shop", "bank")] == ["shop", "bank"]


def test_a_client_may_have_several_keys(api_keys: ApiKeys) -> None:
    first, second = api_keys.create("shop"), api_keys.create("shop")
    assert first != second
    assert api_keys.client_of(first) == api_keys.client_of(second) == "shop"


def test_keys_are_listed_by_id_and_client(api_keys: ApiKeys) -> None:
    made = {_key_id(api_keys.create(client)): client for client in ("shop", "bank")}
    assert {key.id: key.client for key in api_keys.list()} == made
    assert all(abs(key.created_at - time.time()) < 10 for key in api_keys.list())


def test_nothing_but_a_hash_is_stored_or_listed(api_keys: ApiKeys, store: redis.Redis) -> None:
    key = api_keys.create("shop")
    secret = key.split("_", 2)[2]
    assert len(secret) >= 43
    stored = repr(store.hgetall(keys.API_KEYS))
    assert secret not in stored
    assert secret not in repr(api_keys.list())
    assert store.keys() == [keys.API_KEYS]


def test_a_wrong_secret_opens_nothing(api_keys: ApiKeys) -> None:
    key = api_keys.create("shop")
    for wrong in (key[:-1], key + "x", key.swapcase(), key.rpartition("_")[0], f"smsgate_{_key_id(key)}_"):
        assert api_keys.client_of(wrong) is None
    assert api_keys.client_of(key) == "shop"


def test_one_keys_secret_does_not_fit_another(api_keys: ApiKeys) -> None:
    one, two = api_keys.create("shop"), api_keys.create("bank")
    assert api_keys.client_of(f"smsgate_{_key_id(one)}_{two.split('_', 2)[2]}") is None


def test_a_hash_that_somebody_read_in_redis_is_no_key(api_keys: ApiKeys) -> None:
    key = api_keys.create("shop")
    assert api_keys.client_of(f"smsgate_{_key_id(key)}_{api_keys.list()[0].digest}") is None


def test_another_prefix_is_not_ours(api_keys: ApiKeys) -> None:
    key = api_keys.create("shop")
    assert api_keys.client_of(f"other{key[len('smsgate') :]}") is None


@SOME
@given(key=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@example("")
@example("_")
@example("smsgate")
@example("smsgate__")
@example("smsgate_é_密钥")
@example("smsgate_" + "0" * 10_000)
@example("smsgate_\x00_\x00")
def test_no_text_that_is_no_key_opens_anything(api_keys: ApiKeys, key: str) -> None:
    assert api_keys.client_of(key) is None


@SOME
@given(secret=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_a_known_id_with_any_other_secret_opens_nothing(api_keys: ApiKeys, secret: str) -> None:
    if not api_keys.list():
        api_keys.create("shop")
    assert api_keys.client_of(f"smsgate_{api_keys.list()[0].id}_{secret}") is None


def test_a_revoked_key_is_trusted_for_a_few_seconds_at_most(
    api_keys: ApiKeys, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = api_keys.create("shop")
    assert api_keys.client_of(key) == "shop"
    assert api_keys.revoke(_key_id(key))
    assert api_keys.list() == []
    assert ApiKeys(store).client_of(key) is None  # another web process
    _leap(monkeypatch, TRUST)
    assert api_keys.client_of(key) is None
    assert TRUST <= 10


def test_a_key_that_is_not_there_cannot_be_revoked(api_keys: ApiKeys) -> None:
    assert not api_keys.revoke("none")


def test_a_new_key_works_at_once_even_where_it_was_tried_before(api_keys: ApiKeys, store: redis.Redis) -> None:
    """A refusal is not remembered."""
    key = ApiKeys(store).create("shop")
    line = store.hget(keys.API_KEYS, _key_id(key))
    store.delete(keys.API_KEYS)
    assert api_keys.client_of(key) is None
    store.hset(keys.API_KEYS, _key_id(key), line)
    assert api_keys.client_of(key) == "shop"


def test_a_trusted_key_works_while_redis_is_away_and_an_unknown_one_is_not_refused(
    start_redis: StartRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_redis() as (url, server):
        api_keys = ApiKeys(connect_briefly(url))
        key = api_keys.create("shop")
        assert api_keys.client_of(key) == "shop"
        server.kill()
        server.wait()
        assert api_keys.client_of(key) == "shop"
        with pytest.raises(StoreUnavailable):
            api_keys.client_of("smsgate_00000000_secret")
        _leap(monkeypatch, TRUST)
        with pytest.raises(StoreUnavailable):
            api_keys.client_of(key)
