"""Messages whose task was lost get another; messages whose task still waits do not."""

import json

import pytest
import redis

from smsgate.flow.patience import Patience
from smsgate.flow.submit import Submit
from smsgate.flow.sweep import Sweep
from smsgate.ledger import keys
from smsgate.ledger.records import Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Lane, Message, MessageId
from smsgate.queues import LANE_QUEUES, Queue
from smsgate.states import State
from tests.ledger.conftest import Clock

PATIENCE = Patience()
GOOD = {"to": "13800138000", "template": "T", "lane": "bulk"}
MESSAGE = Message.check(GOOD)


@pytest.fixture
def sweep(records: Records, schedule: Schedule, clock: Clock) -> Sweep:
    return Sweep(records, schedule, PATIENCE, clock)


def _accept(records: Records, clock: Clock, count: int, *, apart: float = 0.1) -> list[str]:
    submit = Submit(records, now=clock)
    ids = []
    for number in range(count):
        ids.append(submit(MESSAGE, message_id=f"m{number}").id)
        clock.advance(apart)
    return ids


def _tasks(store: redis.Redis, queue: Queue = Queue.BULK) -> list[str]:
    return [json.loads(entry)["headers"]["id"] for entry in reversed(store.lrange(queue, 0, -1))]


@pytest.mark.parametrize("lane", list(Lane))
def test_a_message_whose_task_was_lost_gets_another_when_it_is_overdue(
    sweep: Sweep, records: Records, clock: Clock, store: redis.Redis, lane: Lane
) -> None:
    Submit(records, now=clock)(Message.check({**GOOD, "lane": lane.value}), message_id="m1")
    store.delete(LANE_QUEUES[lane])
    clock.advance(PATIENCE.overdue - 0.001)
    assert sweep() == 0
    clock.advance(0.001)
    assert sweep() == 1
    assert _tasks(store, LANE_QUEUES[lane]) == ["m1"]
    assert sweep() == 0


def test_a_backlog_of_hours_is_left_alone(sweep: Sweep, records: Records, clock: Clock, store: redis.Redis) -> None:
    ids = _accept(records, clock, 200)
    clock.advance(3600)
    assert sweep() == 0
    assert _tasks(store) == ids


def test_in_a_long_backlog_only_the_lost_ones_that_were_before_its_oldest_are_found(
    sweep: Sweep, records: Records, clock: Clock, store: redis.Redis
) -> None:
    ids = _accept(records, clock, 100)
    clock.advance(3600)
    for _ in range(3):
        store.rpop(Queue.BULK)
    assert sweep() == 3
    assert _tasks(store) == [*ids[3:], *ids[:3]]
    assert sweep() == 0


def test_a_task_that_a_worker_gave_back_holds_up_what_came_after_it(
    sweep: Sweep, records: Records, clock: Clock, store: redis.Redis
) -> None:
    """It is the oldest again, so nothing is known of those behind it; it goes first, and then they are found."""
    _accept(records, clock, 3)
    clock.advance(3600)
    first, _second = store.rpop(Queue.BULK), store.rpop(Queue.BULK)
    store.rpush(Queue.BULK, first)
    assert sweep() == 0
    store.rpop(Queue.BULK)
    assert sweep() == 2


def test_a_retry_that_waits_in_a_workers_hands_is_not_lost_until_its_time_has_passed(
    sweep: Sweep, records: Records, schedule: Schedule, clock: Clock, store: redis.Redis
) -> None:
    _accept(records, clock, 1)
    store.delete(Queue.BULK)
    record = records.read(MessageId("m0"))
    assert record is not None
    schedule.in_queue(record, since=clock() + 100_000, slot=None)
    clock.advance(100)
    assert sweep() == 0
    clock.advance(PATIENCE.overdue)
    assert sweep() == 1


def test_a_retry_at_the_end_of_a_queue_does_not_say_how_far_it_was_worked_off(
    sweep: Sweep, records: Records, clock: Clock, store: redis.Redis
) -> None:
    ids = _accept(records, clock, 5)
    oldest = json.loads(str(store.rpop(Queue.BULK)))
    oldest["headers"]["eta"] = "2026-01-01T00:00:00+00:00"
    store.rpush(Queue.BULK, json.dumps(oldest))
    store.zadd(keys.waiting(Lane.BULK), {ids[0]: clock() + 60_000})
    clock.advance(3600)
    assert sweep() == 0


STRANGERS: dict[str, str | bytes] = {
    "no JSON": "no JSON",
    "a number": "7",
    "no headers": '{"headers": []}',
    "another's": '{"headers": {"id": "unknown"}}',
    "no UTF-8": b'{"headers": {"id": "\xff"}}',
    "half a character": '{"headers": {"id": "\\ud800"}}',
    "a deep hole": "[" * 100_000,
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS.keys())
def test_what_a_stranger_queued_says_nothing_and_harms_nothing(
    sweep: Sweep, records: Records, clock: Clock, store: redis.Redis, stranger: str | bytes
) -> None:
    ids = _accept(records, clock, 3)
    store.rpop(Queue.BULK)
    store.rpush(Queue.BULK, stranger)
    clock.advance(3600)
    assert sweep() == 1
    assert _tasks_known(store) == [*ids[1:], ids[0]]


def _tasks_known(store: redis.Redis) -> list[str]:
    entries = [entry for entry in reversed(store.lrange(Queue.BULK, 0, -1)) if '"sms.send"' in entry]
    return [json.loads(entry)["headers"]["id"] for entry in entries]


def test_a_queue_of_strangers_alone_is_waited_for(
    sweep: Sweep, records: Records, clock: Clock, store: redis.Redis
) -> None:
    _accept(records, clock, 1)
    store.delete(Queue.BULK)
    store.lpush(Queue.BULK, *["stranger"] * 60)
    clock.advance(3600)
    assert sweep() == 0
    store.delete(Queue.BULK)
    assert sweep() == 1


@pytest.mark.parametrize("state", [State.SENDING, State.CANCELLED, State.EXPIRED])
def test_what_has_moved_on_gets_no_task(
    sweep: Sweep, records: Records, clock: Clock, store: redis.Redis, state: State
) -> None:
    _accept(records, clock, 1)
    store.delete(Queue.BULK)
    records.move(MessageId("m0"), state, at=clock())
    clock.advance(3600)
    assert sweep() == 0
    assert store.llen(Queue.BULK) == 0


def test_two_sweeps_at_once_give_a_message_one_task(
    records: Records, schedule: Schedule, clock: Clock, store: redis.Redis
) -> None:
    _accept(records, clock, 10)
    store.delete(Queue.BULK)
    clock.advance(3600)
    one, two = (Sweep(records, schedule, PATIENCE, clock) for _ in range(2))
    assert one(5) + two(5) + one() + two() == 10
    assert len(_tasks(store)) == 10


def test_a_message_parked_or_kept_back_has_no_task_to_lose(
    sweep: Sweep, records: Records, schedule: Schedule, clock: Clock, store: redis.Redis
) -> None:
    _accept(records, clock, 2)
    store.delete(Queue.BULK)
    for number, place in enumerate((lambda one: schedule.park(one, now=0), lambda one: schedule.until(one, 1))):
        record = records.read(MessageId(f"m{number}"))
        assert record is not None
        place(record)
    clock.advance(3600)
    assert sweep() == 0
