"""How far a lane is worked off at a broker that cannot be looked into."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import redis

from smsgate.flow.patience import Patience
from smsgate.flow.submit import Submit
from smsgate.flow.sweep import Sweep
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.envelope import unseal
from smsgate.ledger.marks import OFTEN, SLACK, Marks
from smsgate.ledger.outbox import Outbox
from smsgate.ledger.records import Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Lane, Message
from smsgate.queues import LANE_QUEUES, Queue, TaskName
from tests.ledger.conftest import Clock

PATIENCE = Patience()
MESSAGE = Message.check({"to": "13800138000", "template": "T", "lane": "bulk"})


@pytest.fixture
def marks(store: redis.Redis) -> Marks:
    return Marks(store)


@pytest.fixture
def sweep(records: Records, schedule: Schedule, marks: Marks, clock: Clock) -> Sweep:
    return Sweep(records, schedule, PATIENCE, clock, marks)


def _arrive(store: redis.Redis, queue: Queue) -> list[list[object]]:
    """Take everything off a queue as the broker's worker would; gives each task's name and arguments."""
    entries = store.rpop(queue, 1000) or []
    return [[json.loads(one)["headers"]["task"], *json.loads(unseal(one).body)[0]] for one in entries]


def _pass(store: redis.Redis, marks: Marks, now: int) -> None:
    for lane in Lane:
        for task, *args in _arrive(store, LANE_QUEUES[lane]):
            if task == TaskName.MARK:
                marks.passed(lane, int(str(args[1])), now)


def test_before_a_mark_has_come_out_nothing_is_known(marks: Marks, clock: Clock) -> None:
    assert marks.worked_off(Lane.OTP, clock()) is None


def test_a_mark_that_has_come_out_speaks_for_what_was_queued_well_before_it(
    marks: Marks, store: redis.Redis, clock: Clock
) -> None:
    marks.worked_off(Lane.OTP, clock())
    assert _arrive(store, Queue.OTP) == [[TaskName.MARK, Lane.OTP, clock()]]
    marks.passed(Lane.OTP, clock(), clock())
    assert marks.worked_off(Lane.OTP, clock() + 1) == clock() - SLACK
    # One that comes late changes nothing.
    marks.passed(Lane.OTP, clock() - 5000, clock())
    assert marks.worked_off(Lane.OTP, clock() + 1) == clock() - SLACK


def test_marks_do_not_fill_a_queue_that_nobody_works_off(marks: Marks, store: redis.Redis, clock: Clock) -> None:
    for _ in range(24 * 3600 // 5):
        marks.worked_off(Lane.BULK, clock())
        clock.advance(5)
    assert 100 < store.llen(Queue.BULK) < 200
    marks.passed(Lane.BULK, clock(), clock())
    assert marks.worked_off(Lane.BULK, clock() + OFTEN) is not None
    assert store.llen(Queue.NOTICE) == 0


def test_a_backlog_at_the_broker_is_left_alone_however_old(
    sweep: Sweep, records: Records, store: redis.Redis, clock: Clock
) -> None:
    Submit(records, now=clock)(MESSAGE)
    store.delete(Queue.BULK)
    for _ in range(100):
        clock.advance(36)
        assert sweep() == 0


def test_a_message_whose_task_the_broker_lost_gets_another(
    sweep: Sweep, records: Records, marks: Marks, store: redis.Redis, clock: Clock
) -> None:
    lost = Submit(records, now=clock)(MESSAGE).id
    store.delete(Queue.BULK)
    clock.advance(SLACK / 1000 + 1)
    sweep()
    _pass(store, marks, clock())
    assert sweep() == 0
    clock.advance(PATIENCE.overdue)
    assert sweep() == 1
    assert [task for task, *_ in _arrive(store, Queue.BULK)] == [TaskName.MARK, TaskName.SEND]
    record = records.read(lost)
    assert record is not None
    assert sweep() == 0


def test_what_was_queued_after_the_last_mark_that_came_out_is_not_lost(
    sweep: Sweep, records: Records, marks: Marks, store: redis.Redis, clock: Clock
) -> None:
    sweep()
    _pass(store, marks, clock())
    Submit(records, now=clock)(MESSAGE)
    clock.advance(3600)
    assert sweep() == 0


def test_a_clock_that_was_ahead_for_a_while_neither_stops_the_marks_nor_makes_a_backlog_look_lost(
    sweep: Sweep, records: Records, marks: Marks, store: redis.Redis, clock: Clock
) -> None:
    clock.advance(3600)
    sweep()
    _pass(store, marks, clock())
    clock.advance(-3600)
    Submit(records, now=clock)(MESSAGE)
    for _ in range(30):
        clock.advance(10)
        assert sweep() == 0
    # One put by the wrong clock, which comes out by the right one.
    marks.passed(Lane.BULK, clock() + 3_000_000, clock())
    assert sweep() == 0
    store.delete(Queue.BULK)
    clock.advance(300)
    sweep()
    _pass(store, marks, clock())
    assert sweep() == 1


def test_marks_go_on_in_a_full_redis(
    clock: Clock, start_redis: Callable[..., AbstractContextManager[tuple[str, object]]]
) -> None:
    with start_redis("--maxmemory-policy", "noeviction") as (url, _):
        store = connect_briefly(url)
        marks = Marks(store)
        store.config_set("maxmemory", 1)
        assert marks.worked_off(Lane.OTP, clock()) is None
        assert _arrive(store, Queue.OTP) == [[TaskName.MARK, Lane.OTP, clock()]]
        marks.passed(Lane.OTP, clock(), clock())
        assert marks.worked_off(Lane.OTP, clock() + 1) == clock() - SLACK


@pytest.mark.parametrize("times", [1, 3])
def test_a_message_that_the_broker_refuses_is_not_lost_because_a_mark_has_overtaken_it(
    records: Records, schedule: Schedule, marks: Marks, store: redis.Redis, times: int
) -> None:
    now = int(time.time() * 1000)
    Submit(records, now=lambda: now - 120_000)(MESSAGE)
    outbox = Outbox(store)
    for _ in range(times):
        parcel = outbox.take()
        (place,) = (place for place, one in enumerate(parcel.posted) if TaskName.MARK not in one.entry)
        outbox.handed_on(parcel, refused=[place])
        marks.passed(Lane.BULK, now, now)
        assert Sweep(records, schedule, PATIENCE, lambda: now, marks)() == 0
    tasks = [json.loads(one)["headers"]["task"] for one in store.lrange(Queue.BULK, 0, -1)]
    assert tasks.count(TaskName.SEND) == 1
