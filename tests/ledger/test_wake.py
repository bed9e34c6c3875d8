"""Messages whose time has come: each state has somebody who looks after it."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import redis

from smsgate.flow.brake import Brake
from smsgate.flow.census import Census
from smsgate.flow.inquire import MOST_REMINDERS, QUESTION_LEASE, Inquire
from smsgate.flow.look import PUT_OFF
from smsgate.flow.patience import Patience
from smsgate.flow.release import Release
from smsgate.flow.submit import Submit, draft
from smsgate.flow.sweep import Sweep
from smsgate.flow.wake import Wake
from smsgate.flow.watch import Watch
from smsgate.ledger import keys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.records import LOOK_AGAIN, Event, Record, Records
from smsgate.ledger.retention import Retention
from smsgate.ledger.schedule import Placed, Schedule, Seen
from smsgate.ledger.slots import Slot
from smsgate.message import Lane, Message, MessageId
from smsgate.queues import Queue
from smsgate.states import RESTING, State
from tests.ledger.conftest import Clock
from tests.ledger.providers import Nobody, only
from tests.ledger.ways import brought_to

ID = MessageId("m1")
MESSAGE = Message.check({"to": "13800138000", "template": "T", "params": {"code": "1"}, "lane": "otp"})
PATIENCE = Patience()
StartRedis = Callable[..., AbstractContextManager[tuple[str, Any]]]
TASK = Slot(Queue.OTP, "task")


@pytest.fixture
def wake(records: Records, schedule: Schedule, clock: Clock) -> Wake:
    return Wake(records, schedule, clock)


@pytest.fixture
def inquire(schedule: Schedule, clock: Clock) -> Inquire:
    return Inquire(schedule, clock)


@pytest.fixture
def record(records: Records, clock: Clock) -> Record:
    Submit(records, now=clock)(MESSAGE, message_id=ID)
    return _read(records)


def _read(records: Records) -> Record:
    known = records.read(ID)
    assert known is not None
    return known


def _tasks(store: redis.Redis, queue: Queue = Queue.OTP) -> list[str]:
    return [json.loads(entry)["headers"]["id"] for entry in store.lrange(queue, 0, -1)]


def test_nothing_is_looked_after_before_its_time(wake: Wake, record: Record, clock: Clock) -> None:
    clock.advance(MESSAGE.seconds_valid - 0.001)
    assert wake() == 0


def test_a_message_that_expires_in_the_backlog_of_its_queue_is_expired(
    wake: Wake, records: Records, record: Record, clock: Clock, store: redis.Redis
) -> None:
    clock.advance(MESSAGE.seconds_valid)
    wake()
    known = _read(records)
    assert (known.state, known.reason) == (State.EXPIRED, "expired")
    assert store.exists(keys.due(Lane.OTP), keys.waiting(Lane.OTP)) == 0


def test_a_message_kept_back_is_queued_when_its_time_comes(
    wake: Wake, schedule: Schedule, record: Record, clock: Clock, store: redis.Redis
) -> None:
    store.delete(Queue.OTP)
    schedule.until(record, clock() + 10_000)
    assert wake() == 0
    clock.advance(10)
    assert wake() == 1
    assert _tasks(store) == [ID]
    assert store.zscore(keys.due(Lane.OTP), ID) == record.valid_until
    assert store.zscore(keys.waiting(Lane.OTP), ID) == clock()
    assert wake() == 0


def test_a_message_kept_back_for_longer_than_it_is_valid_expires_at_its_end(
    wake: Wake, records: Records, schedule: Schedule, record: Record, clock: Clock
) -> None:
    schedule.until(record, record.valid_until + 1)
    clock.advance(MESSAGE.seconds_valid)
    wake()
    assert _read(records).state is State.EXPIRED


def test_a_message_put_back_whose_retry_was_never_published_gets_its_task(
    wake: Wake, records: Records, record: Record, clock: Clock, store: redis.Redis
) -> None:
    store.delete(Queue.OTP)
    records.move(ID, State.SENDING, at=clock(), fields={"attempts": 1})
    records.move(ID, State.QUEUED, at=clock())
    clock.advance(LOOK_AGAIN / 1000)
    wake()
    assert _tasks(store) == [ID]


def test_an_attempt_that_outlasts_its_lease_is_uncertain_and_asked_about_at_once(
    wake: Wake, records: Records, record: Record, clock: Clock, store: redis.Redis
) -> None:
    due = PATIENCE.lease_until(clock())
    records.move(ID, State.SENDING, at=clock(), fields={"attempts": 1}, due=due)
    clock.advance(PATIENCE.lease - 0.001)
    assert wake() == 0
    clock.advance(0.001)
    wake()
    known = _read(records)
    assert (known.state, known.reason) == (State.UNCERTAIN, "worker_lost")
    assert known.timeline[-1] == Event(clock(), State.UNCERTAIN, {"reason": "worker_lost"})
    assert store.zscore(keys.UNCERTAIN, ID) == clock()
    assert store.zscore(keys.due(Lane.OTP), ID) is None


@pytest.mark.parametrize("state", [State.SENT, State.UNCERTAIN])
def test_a_question_is_put_once_and_again_if_its_task_is_lost(
    inquire: Inquire, records: Records, clock: Clock, store: redis.Redis, state: State
) -> None:
    brought_to(records, draft(MESSAGE, ID, client="", at=clock()), state, due=clock())
    assert (inquire(), inquire()) == (1, 0)
    assert _tasks(store, Queue.QUESTIONS) == [f"ask-{ID}"]
    clock.advance(QUESTION_LEASE / 1000)
    assert inquire() == 1
    assert _tasks(store, Queue.QUESTIONS) == [f"ask-{ID}"] * 2


def test_questions_wait_where_they_are_while_their_queue_is_full(
    inquire: Inquire, records: Records, clock: Clock, store: redis.Redis
) -> None:
    brought_to(records, draft(MESSAGE, ID, client="", at=clock()), State.SENT, due=clock())
    store.lpush(Queue.QUESTIONS, *["a question"] * MOST_REMINDERS)
    assert inquire() == 0
    assert store.zscore(keys.SILENT, ID) == clock()
    store.rpop(Queue.QUESTIONS)
    assert inquire() == 1


@pytest.mark.parametrize("state", sorted(RESTING))
def test_a_message_at_rest_is_in_no_index_and_is_not_moved_by_one(
    wake: Wake, records: Records, clock: Clock, store: redis.Redis, state: State
) -> None:
    brought_to(records, draft(MESSAGE, ID, client="", at=clock()), state)
    assert (
        store.exists(keys.due(Lane.OTP), keys.UNCERTAIN, keys.SILENT, keys.waiting(Lane.OTP), keys.parked(Lane.OTP))
        == 0
    )
    before = _read(records)
    store.zadd(keys.due(Lane.OTP), {ID: clock()})
    wake()
    assert _read(records) == before
    assert store.exists(keys.due(Lane.OTP)) == 0


@pytest.mark.parametrize("state", [State.SENT, State.UNCERTAIN])
def test_what_an_older_version_left_in_the_wrong_index_is_put_into_its_own(
    wake: Wake, records: Records, clock: Clock, store: redis.Redis, state: State
) -> None:
    brought_to(records, draft(MESSAGE, ID, client="", at=clock()), state, due=clock())
    store.delete(keys.UNCERTAIN, keys.SILENT)
    store.zadd(keys.due(Lane.OTP), {ID: clock()})
    wake()
    assert store.zscore(keys.due(Lane.OTP), ID) is None
    assert store.zscore(keys.SILENT if state is State.SENT else keys.UNCERTAIN, ID) == clock()


def test_a_look_that_is_late_takes_nothing_out_of_its_index(
    records: Records, schedule: Schedule, record: Record, clock: Clock, store: redis.Redis
) -> None:
    """Somebody else looked first, and the message has come back to where it stood."""
    schedule.restore([ID], clock())
    assert store.zscore(keys.due(Lane.OTP), ID) == record.valid_until


@pytest.mark.parametrize("state", [state for state in State if state is not State.REJECTED])
def test_the_census_finds_what_stands_in_no_index(
    schedule: Schedule, records: Records, clock: Clock, store: redis.Redis, state: State
) -> None:
    """Messages that a version accepted which knew no index."""
    for number in range(30):
        brought_to(records, draft(MESSAGE, MessageId(f"m{number}"), client="", at=clock()), state)
    indexes = (keys.due(Lane.OTP), keys.UNCERTAIN, keys.SILENT, keys.DEAD)
    before = {index: set(store.zrange(index, 0, -1)) for index in indexes}
    store.delete(*indexes)
    census = Census(schedule, clock)
    found = sum(census(10) for _ in range(20))
    assert {index: set(store.zrange(index, 0, -1)) for index in indexes} == before
    assert found == (30 if any(before.values()) else 0)
    assert sum(census(10) for _ in range(20)) == 0


def test_the_urgent_do_not_wait_behind_a_crowd(
    wake: Wake, records: Records, schedule: Schedule, clock: Clock, store: redis.Redis
) -> None:
    for number in range(50):
        bulk = Message.check({"to": "13800138000", "template": "T", "lane": "bulk"})
        accepted = draft(bulk, MessageId(f"b{number}"), client="", at=clock())
        records.accept(accepted, slot=None)
        schedule.until(accepted, clock() + 1)
    Submit(records, now=clock)(MESSAGE, message_id=ID)
    store.delete(Queue.OTP)
    schedule.until(draft(MESSAGE, ID, client="", at=clock()), clock() + 900)
    clock.advance(1)
    wake(10)
    assert _tasks(store) == [ID]


def test_a_question_about_what_is_uncertain_does_not_wait_behind_reminders(
    inquire: Inquire, records: Records, clock: Clock, store: redis.Redis
) -> None:
    store.zadd(keys.SILENT, {f"s{number}": number for number in range(300)})
    brought_to(records, draft(MESSAGE, ID, client="", at=clock()), State.UNCERTAIN, due=clock())
    inquire(200)
    tasks = _tasks(store, Queue.QUESTIONS)
    assert tasks[-1] == f"ask-{ID}"
    assert len(tasks) == MOST_REMINDERS


def test_what_a_full_redis_has_accepted_goes_its_way(start_redis: StartRedis, clock: Clock) -> None:
    with start_redis("--maxmemory-policy", "noeviction") as (url, _):
        store = connect_briefly(url)
        records, schedule = Records(store, retention=Retention(60)), Schedule(store)
        for name, state in (("waits", State.QUEUED), ("lost", State.SENDING), ("silent", State.SENT)):
            brought_to(records, draft(MESSAGE, MessageId(name), client="", at=clock()), state, due=clock())
        waits = records.read(MessageId("waits"))
        assert waits is not None
        schedule.until(waits, clock())
        store.config_set("maxmemory", "1")
        Wake(records, schedule, clock)(10)
        assert Inquire(schedule, clock)(10) == 1
        assert _tasks(store) == ["waits"]
        assert [one.state for one in records.read_all([MessageId("lost")]) if one] == [State.UNCERTAIN]
        assert records.begin(MessageId("waits"), Lane.NOTICE, redelivered=True, claim=None).redeliveries == 1
        silent = records.read(MessageId("silent"))
        assert silent is not None
        schedule.ask_again(silent, clock() + 1, asks=1)
        assert store.hget(keys.record(MessageId("silent")), "asks") == "1"


def test_what_is_no_more_is_forgotten(wake: Wake, clock: Clock, store: redis.Redis) -> None:
    store.zadd(keys.due(Lane.OTP), {"gone": clock()})
    wake()
    assert store.exists(keys.due(Lane.OTP)) == 0


def test_of_many_that_saw_the_same_message_due_one_queues_it(
    schedule: Schedule, record: Record, clock: Clock, store: redis.Redis
) -> None:
    schedule.until(record, clock())
    (seen,) = schedule.due(Lane.OTP, clock(), 10)
    placed = [schedule.in_queue(record, since=clock() + 1, slot=TASK, seen=Seen("due", seen.score)) for _ in range(3)]
    assert placed == [Placed.PLACED, Placed.CHANGED, Placed.CHANGED]
    assert store.lrange(Queue.OTP, 0, -1).count("task") == 1


def test_a_message_that_has_moved_on_is_placed_nowhere(
    records: Records, schedule: Schedule, record: Record, clock: Clock, store: redis.Redis
) -> None:
    records.move(ID, State.CANCELLED, at=clock())
    assert schedule.in_queue(record, since=clock(), slot=TASK) is Placed.GONE
    assert schedule.park(record, now=clock()) is Placed.GONE
    assert store.exists(keys.due(Lane.OTP), keys.waiting(Lane.OTP), keys.parked(Lane.OTP)) == 0


def test_a_crowd_is_looked_after_in_portions(wake: Wake, records: Records, clock: Clock, store: redis.Redis) -> None:
    for number in range(25):
        Submit(records, now=clock)(MESSAGE, message_id=f"m{number}")
    clock.advance(MESSAGE.seconds_valid)
    assert [wake(10), wake(10), wake(10), wake(10)] == [10, 10, 5, 0]


@pytest.mark.parametrize("index", [keys.due(Lane.OTP), keys.waiting(Lane.OTP), keys.parked(Lane.OTP)])
def test_a_record_that_cannot_be_read_holds_up_no_other(
    watch: Watch, records: Records, schedule: Schedule, brake: Brake, clock: Clock, store: redis.Redis, index: str
) -> None:
    """A newer version wrote it, and this worker is not yet replaced."""
    for name in ("strange", "m1"):
        Submit(records, now=clock)(MESSAGE, message_id=name)
        schedule.park(draft(MESSAGE, MessageId(name), client="", at=clock()), now=clock())
    store.hset(keys.record(MessageId("strange")), "state", "teleported")
    store.delete(Queue.OTP, keys.due(Lane.OTP), keys.parked(Lane.OTP))
    store.zadd(index, {"strange": 1, ID: 2})
    chores = (
        Wake(records, schedule, clock),
        Sweep(records, schedule, PATIENCE, clock),
        Release(records, schedule, brake.lanes, brake, only(Nobody(), watch), clock),
    )
    for chore in chores:
        chore(10)
    assert _tasks(store) == [ID]
    assert store.zscore(index, "strange") == clock() + PUT_OFF
