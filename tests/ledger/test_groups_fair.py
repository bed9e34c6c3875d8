"""Messages that wait for company are not kept waiting by others, whatever those are."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import redis

from smsgate.flow.brake import Brake
from smsgate.flow.carry import Carry
from smsgate.flow.deliver_chunk import DeliverChunk
from smsgate.flow.gather import Gather
from smsgate.flow.submit import Submit
from smsgate.flow.watch import Watch
from smsgate.ledger import keys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.groups import AHEAD, MOST_AMONG_OTHERS, Groups
from smsgate.ledger.lanes import By, Lanes, Pause
from smsgate.ledger.records import Records
from smsgate.ledger.retention import Retention
from smsgate.message import Lane, MessageId
from smsgate.queues import Queue
from tests.ledger.conftest import Clock
from tests.ledger.gathered import claim, gathered, gathering
from tests.ledger.providers import Nobody, only


@pytest.fixture
def groups(store: redis.Redis) -> Groups:
    return Groups(store)


@pytest.fixture
def submit(records: Records, groups: Groups, clock: Clock) -> Submit:
    return Submit(records, gathering(groups), now=clock)


def _take(groups: Groups, clock: Clock, name: str = "c1") -> list[MessageId]:
    return list(groups.take(Lane.BULK, name, claim(clock()), most=100).claimed)


def test_messages_that_leave_by_themselves_do_not_keep_those_that_gather_from_their_turn(
    submit: Submit, groups: Groups, clock: Clock, store: redis.Redis
) -> None:
    store.lpush(Queue.BULK, *["another task"] * 1000)
    gathered(submit, 3000)
    assert groups.fill(Lane.BULK, clock()) == MOST_AMONG_OTHERS
    store.lpush(Queue.BULK, *["another task"] * 1000)
    assert groups.fill(Lane.BULK, clock()) == 0  # where nobody works the queue does not grow
    _take(groups, clock)
    assert groups.fill(Lane.BULK, clock()) == MOST_AMONG_OTHERS
    assert 0 < store.ttl(keys.ahead(Lane.BULK)) <= AHEAD


def test_a_lane_that_its_brake_holds_gets_one_task_at_a_time_for_its_probe(
    watch: Watch, submit: Submit, groups: Groups, lanes: Lanes, clock: Clock, store: redis.Redis
) -> None:
    gathered(submit, 3000)
    store.delete(Queue.BULK)
    lanes.pause(Lane.BULK, Pause(By.BRAKE, "", clock()))
    gather = Gather(groups, lanes, only(Nobody(), watch), clock)
    assert [gather(), gather(), store.llen(Queue.BULK)] == [1, 0, 1]
    lanes.resume(Lane.BULK)
    gather()
    assert store.llen(Queue.BULK) == 31


def test_a_thousand_messages_to_one_number_do_not_hold_up_the_others(
    submit: Submit, groups: Groups, clock: Clock
) -> None:
    gathered(submit, 1000, to="13800138000")
    gathered(submit, 50, first=1000)
    taken = [_take(groups, clock, f"c{place}") for place in range(10)]
    assert [one for chunk in taken for one in chunk if len(one) < 5] == [f"m{place}" for place in range(10)]
    assert sum(map(len, taken)) == 60


def test_a_producer_whose_clock_is_ahead_does_not_hold_up_what_others_bring(
    submit: Submit, records: Records, groups: Groups, clock: Clock
) -> None:
    gathered(Submit(records, gathering(groups), now=lambda: clock() + 3_600_000), 1)
    gathered(submit, 1, first=1)
    clock.advance(2)
    assert sorted(_take(groups, clock)) == ["m0", "m1"]


def test_what_is_no_message_of_a_group_holds_up_none(
    submit: Submit, groups: Groups, clock: Clock, store: redis.Redis
) -> None:
    gathered(submit, 3)
    store.hdel(keys.record(MessageId("m1")), "valid_until")
    (group,) = store.keys(keys.group(Lane.BULK, "*"))
    store.rpush(str(group), "rubbish", "")
    clock.advance(2)
    chunk = groups.take(Lane.BULK, "c1", claim(clock()), most=100)
    assert (sorted(chunk.claimed), chunk.expired) == (["m0", "m2"], ["m1"])


def test_what_gathers_in_a_full_redis_gets_its_tasks(
    clock: Clock, start_redis: Callable[..., AbstractContextManager[tuple[str, object]]]
) -> None:
    with start_redis("--maxmemory-policy", "noeviction") as (url, _):
        store = connect_briefly(url)
        groups = Groups(store)
        records = Records(store, retention=Retention(60))
        gathered(Submit(records, gathering(groups), now=clock), 3)
        store.config_set("maxmemory", 1)
        clock.advance(2)
        assert groups.fill(Lane.BULK, clock()) == 1
        assert store.llen(Queue.BULK) == 1
        assert len(_take(groups, clock)) == 3


def test_what_gathers_in_a_full_redis_gets_its_tasks_also_among_others(
    clock: Clock, start_redis: Callable[..., AbstractContextManager[tuple[str, object]]]
) -> None:
    with start_redis("--maxmemory-policy", "noeviction") as (url, _):
        store = connect_briefly(url)
        groups = Groups(store)
        gathered(Submit(Records(store, retention=Retention(60)), gathering(groups), now=clock), 3)
        store.lpush(Queue.BULK, *["another task"] * 100)
        store.config_set("maxmemory", 1)
        clock.advance(2)
        assert groups.fill(Lane.BULK, clock()) == 1
        assert groups.fill(Lane.BULK, clock()) == 0


def test_once_a_lane_goes_on_the_tasks_that_it_turned_away_are_followed_by_others(
    watch: Watch,
    submit: Submit,
    records: Records,
    groups: Groups,
    brake: Brake,
    carry: Carry,
    lanes: Lanes,
    clock: Clock,
    store: redis.Redis,
) -> None:
    store.lpush(Queue.BULK, *["another task"] * 1000)
    gathered(submit, 3000)
    assert groups.fill(Lane.BULK, clock()) == MOST_AMONG_OTHERS
    lanes.pause(Lane.BULK, Pause(By.HAND, "", clock()))
    assert DeliverChunk(records, groups, brake, only(Nobody(), watch), carry, now=clock)(Lane.BULK) == 0
    lanes.resume(Lane.BULK)
    store.lpush(Queue.BULK, *["another task"] * 1000)
    assert groups.fill(Lane.BULK, clock()) == MOST_AMONG_OTHERS


def test_a_clients_thousands_do_not_stand_before_anothers_ten(submit: Submit, groups: Groups, clock: Clock) -> None:
    gathered(submit, 3000, client="loud")
    few = gathered(submit, 10, first=3000, client="quiet")
    clock.advance(2.1)
    assert set(few) <= {*_take(groups, clock, "c1"), *_take(groups, clock, "c2")}
