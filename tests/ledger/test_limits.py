"""Messages at the door: what counts, what does not, and what is given back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from smsgate.errors import IdempotencyConflict, LimitExceeded, StoreUnavailable
from smsgate.flow.report_limits import About, report_limits
from smsgate.flow.submit import Submit
from smsgate.gates.quota import Algorithm, Limit
from smsgate.ledger.connection import connect_briefly
from smsgate.message import MessageId
from smsgate.phone import Phone
from tests.ledger.conftest import Clock
from tests.ledger.limited import admit, limit, message, submit

every_algorithm = pytest.mark.parametrize("algorithm", list(Algorithm))


def _used(accept: Submit, **about: Any) -> dict[str, int]:
    assert accept.admit is not None
    told = report_limits(accept.admit, About(**about))
    return {one["name"]: one["used"] for one in told if "used" in one}


@every_algorithm
def test_a_number_gets_as_many_as_its_limit_and_others_are_not_touched(
    store: redis.Redis, algorithm: Algorithm
) -> None:
    accept = submit(store, limit("codes", "2/hour", "recipient", algorithm=algorithm))
    for _ in range(2):
        accept(message(), client="shop")
    with pytest.raises(LimitExceeded, match=r"^limit codes: 2/hour for each recipient is used up; it frees in \d+ s$"):
        accept(message(), client="another")
    accept(message("13900139000"))
    assert store.llen("sms.notice") == 3


def test_a_limit_says_to_what_it_holds_and_never_for_whom(store: redis.Redis) -> None:
    accept = submit(store, limit("codes", "1/hour", "recipient", "sign"))
    accept(message())
    with pytest.raises(LimitExceeded) as caught:
        accept(message(sign="短信网关"))  # which is what a message without one has
    error = caught.value
    assert (error.limit, error.per, error.allow) == ("codes", ("recipient", "sign"), "1/hour")
    assert (error.quota, error.window) == (1, 3600)
    assert 3590 < error.wait <= 3600
    assert "13800138000" not in repr(error) + "".join(map(str, store.keys("*limit*")))
    accept(message(sign="Another"))


@every_algorithm
def test_what_one_limit_refuses_uses_up_no_other(store: redis.Redis, algorithm: Algorithm) -> None:
    budget = limit("budget", "10/day", "client", algorithm="fixed_window")
    rate = limit("rate", "10/second", "client", algorithm=algorithm, counts="requests")
    accept = submit(store, budget, rate, limit("codes", "1/hour", "recipient", algorithm=algorithm))
    accept(message(), client="shop")
    for _ in range(5):
        with pytest.raises(LimitExceeded, match="codes"):
            accept(message(), client="shop")
    assert _used(accept, client="shop", recipient=message().to)["budget"] == 1
    assert _used(accept, client="shop", recipient=message().to)["rate"] <= 1


def test_a_budget_is_of_a_day_of_shanghai_and_a_refusal_counts_for_nothing(store: redis.Redis, clock: Clock) -> None:
    clock.at = 1_767_196_799_000  # 2025-12-31T23:59:59+08:00
    day, month = (limit(unit, f"2/{unit}", "client", algorithm="fixed_window") for unit in ("day", "month"))
    accept = submit(store, day, month, now=clock)
    accept(message())
    accept(message())
    for _ in range(3):
        with pytest.raises(LimitExceeded) as caught:
            accept(message())
        assert caught.value.wait == 1
    clock.advance(1)
    accept(message())
    assert _used(accept, client="") == {"day": 1, "month": 1}
    raised = submit(store, limit("day", "4/day", "client", algorithm="fixed_window"), now=clock)
    assert _used(raised, client="") == {"day": 1}


@every_algorithm
def test_a_repeated_request_is_answered_as_before_and_counts_once(store: redis.Redis, algorithm: Algorithm) -> None:
    accept = submit(store, limit("all", "2/hour", algorithm=algorithm))
    first = accept(message(), client="shop", idempotency_key="k")
    second = accept(message(), client="shop", message_id="m1")
    assert _used(accept) == {"all": 2}
    for _ in range(3):
        again = accept(message(), client="shop", idempotency_key="k")
        assert (again.id, again.replayed) == (first.id, True)
        assert accept(message(), client="shop", message_id="m1").id == second.id
    with pytest.raises(IdempotencyConflict):
        accept(message("13900139000"), client="shop", idempotency_key="k")
    with pytest.raises(LimitExceeded):
        accept(message(), client="shop", idempotency_key="another")
    assert _used(accept) == {"all": 2}


@every_algorithm
def test_twenty_at_once_with_one_key_count_once(redis_url: str, store: redis.Redis, algorithm: Algorithm) -> None:
    rule = limit("all", "100/hour", algorithm=algorithm)
    with ThreadPoolExecutor(20) as pool:
        step = submit(connect_briefly(redis_url), rule)
        answers = list(pool.map(lambda _: step(message(), client="shop", idempotency_key="k"), range(20)))
    assert len({one.id for one in answers}) == 1
    assert _used(submit(store, rule)) == {"all": 1}


def test_a_reservation_counts_once_and_gives_back_what_it_was_not_used_for(store: redis.Redis) -> None:
    accept = submit(store, limit("all", "2/hour"))
    assert accept.reserve(message(), MessageId("m1"))
    assert not accept.reserve(message(), MessageId("m1"))
    assert _used(accept) == {"all": 1}
    accept.take_back(message(), MessageId("m1"))
    assert _used(accept) == {"all": 0}
    for name in ("m2", "m3"):
        accept.reserve(message(), MessageId(name))
    with pytest.raises(LimitExceeded):
        accept.reserve(message(), MessageId("m4"))


def test_an_accepted_message_tells_what_is_left(store: redis.Redis) -> None:
    accept = submit(store, limit("codes", "5/hour", "recipient"), limit("day", "10/day", algorithm="fixed_window"))
    accept(message())
    told = {one.limit.name: (one.remaining, one.lasts) for one in accept(message()).standings}
    assert (told["codes"][0], told["day"][0]) == (3, 8)
    assert 3590 < told["codes"][1] <= 3600
    assert 0 < told["day"][1] <= 86_400
    assert accept(message("13900139000"), idempotency_key="k").standings
    assert not accept(message("13900139000"), idempotency_key="k").standings


def test_who_comes_under_no_limit_is_asked_nothing(store: redis.Redis) -> None:
    accept = submit(store, limit("codes", "1/hour", lanes=["otp"]), limit("shop", "1/hour", clients=["shop*"]))
    for _ in range(3):
        assert accept(message()).standings == ()
    assert list(store.keys("*limit*")) == []


def test_without_redis_nothing_passes(start_redis: Callable[..., Any]) -> None:
    with start_redis() as (url, server):
        accept = submit(connect_briefly(url), limit("all", "5/hour"))
        accept(message())
        server.kill()
        server.wait()
        with pytest.raises(StoreUnavailable):
            accept(message())


def test_connections_are_those_of_the_gateway(start_redis: Callable[..., Any]) -> None:
    """A library's own connection would know nothing of the password, nor give up in time."""
    with start_redis("--requirepass", "secret") as (url, _):
        accept = submit(
            connect_briefly(url.replace("redis://", "redis://:secret@")),
            *(limit(str(place), "5/hour", algorithm=one) for place, one in enumerate(Algorithm)),
        )
        assert len(accept(message()).standings) == 4


def test_a_reader_sees_what_is_known_and_no_more(store: redis.Redis) -> None:
    rules: list[Limit] = [
        limit("codes", "5/hour", "recipient", lanes=["otp"]),
        limit("day", "100/day", "client", algorithm="fixed_window"),
        limit("others", "5/hour", clients=["other"]),
    ]
    submit(store, *rules)(message(lane="otp"), client="shop")
    step = admit(store, *rules)
    codes, day = report_limits(step, About(client="shop"))
    assert codes == {
        "name": "codes",
        "per": ["recipient"],
        "allow": "5/hour",
        "algorithm": "sliding_log",
        "counts": "messages",
        "lanes": ["otp"],
    }
    assert (day["used"], day["remaining"]) == (1, 99)
    known = report_limits(step, About(recipient=Phone("+8613800138000")))
    assert [one.get("used") for one in known] == [1, 0, None]
