"""Messages that wait for company: taken a chunk at a time, each once, whoever takes them."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
import redis

from smsgate.flow.submit import Submit, draft, slot_of
from smsgate.flow.wake import Wake
from smsgate.ledger import keys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.groups import MOST_TASKS, Groups
from smsgate.ledger.record import Gathers
from smsgate.ledger.records import Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Lane, Message, MessageId
from smsgate.queues import Queue
from smsgate.states import State
from tests.ledger.conftest import Clock
from tests.ledger.gathered import USUAL, claim, gathered, gathering, read


@pytest.fixture
def groups(store: redis.Redis) -> Groups:
    return Groups(store)


@pytest.fixture
def submit(records: Records, groups: Groups, clock: Clock) -> Submit:
    return Submit(records, gathering(groups), now=clock)


def _take(groups: Groups, clock: Clock, name: str = "c1", most: int = 100) -> list[MessageId]:
    return list(groups.take(Lane.BULK, name, claim(clock()), most=most).claimed)


def test_a_message_that_gathers_has_no_task_and_is_taken_when_it_has_waited(
    submit: Submit, groups: Groups, clock: Clock, store: redis.Redis
) -> None:
    gathered(submit, 3)
    assert store.llen(Queue.BULK) == 0
    assert _take(groups, clock) == []
    clock.advance(2)
    assert sorted(_take(groups, clock)) == ["m0", "m1", "m2"]


def test_a_full_chunk_waits_for_nothing_and_has_its_task_at_once(
    submit: Submit, groups: Groups, clock: Clock, store: redis.Redis
) -> None:
    gathered(submit, 100)
    assert store.llen(Queue.BULK) == 1
    assert len(_take(groups, clock)) == 100


def test_what_is_taken_is_claimed_and_says_in_which_chunk(
    submit: Submit, groups: Groups, clock: Clock, records: Records, store: redis.Redis
) -> None:
    gathered(submit, 1)
    clock.advance(2)
    _take(groups, clock)
    known = read(records, "m0")
    assert (known.state, known.attempts, known.lease, known.channel) == (
        State.SENDING,
        1,
        clock() + 60_000,
        "provider",
    )
    assert known.timeline[-1].detail == {"attempt": 1, "channel": "provider", "chunk": "c1"}
    assert known.chunks == ("c1",)
    assert store.zscore(keys.due(Lane.BULK), "m0") == clock() + 60_000
    assert groups.messages_of([("c1", "13900000000"), ("c1", "1"), ("other", "13900000000")]) == ["m0", None, None]


def test_codes_never_wait_for_company(submit: Submit, store: redis.Redis) -> None:
    gathered(submit, 2, lane="otp")
    assert store.llen(Queue.OTP) == 2


def test_a_message_to_a_number_abroad_leaves_by_itself(submit: Submit, store: redis.Redis) -> None:
    gathered(submit, 1, to="+85291234567")
    assert store.llen(Queue.BULK) == 1


def test_templates_and_signs_and_lanes_do_not_leave_together(submit: Submit, groups: Groups, clock: Clock) -> None:
    gathered(submit, 2)
    gathered(submit, 2, first=2, template="U")
    gathered(submit, 2, first=4, sign="other")
    gathered(submit, 2, first=6, lane="notice")
    clock.advance(2)
    taken = [set(_take(groups, clock, f"c{place}")) for place in range(4)]
    assert {"m0", "m1"} in taken
    assert {"m2", "m3"} in taken
    assert {"m4", "m5"} in taken
    assert taken[3] == set()


def test_a_number_stands_in_a_chunk_once(submit: Submit, groups: Groups, clock: Clock) -> None:
    """The provider tells the messages of one call apart by their numbers."""
    gathered(submit, 2, to="13800138000")
    gathered(submit, 2, first=2)
    clock.advance(2)
    assert sorted(_take(groups, clock)) == ["m0", "m2", "m3"]
    clock.advance(2)
    assert _take(groups, clock, "c2") == ["m1"]


def test_the_same_chunk_is_taken_twice_by_a_call_whose_answer_was_lost(
    submit: Submit, groups: Groups, clock: Clock
) -> None:
    gathered(submit, 150)
    first = _take(groups, clock)
    assert len(first) == 100
    assert sorted(_take(groups, clock)) == sorted(first)


def test_what_is_too_old_out_of_attempts_or_called_back_is_not_claimed(
    submit: Submit, groups: Groups, clock: Clock, records: Records, store: redis.Redis
) -> None:
    gathered(submit, 1, valid_for=1)
    gathered(submit, 3, first=1)
    store.hset(keys.record(MessageId("m1")), "attempts", 5)
    records.move(MessageId("m2"), State.CANCELLED, at=clock())
    clock.advance(2)
    chunk = groups.take(Lane.BULK, "c1", claim(clock()), most=100)
    assert (chunk.claimed, chunk.expired, chunk.spent) == (["m3"], ["m0"], ["m1"])


def test_groups_take_turns(submit: Submit, groups: Groups, clock: Clock) -> None:
    """A campaign of thousands does not hold up a dozen messages of somebody else."""
    gathered(submit, 500)
    clock.advance(0.001)
    gathered(submit, 100, first=500, template="U")
    clock.advance(0.001)
    first, second, third = (set(_take(groups, clock, f"c{place}")) for place in range(3))
    assert (first | third) <= {f"m{place}" for place in range(500)}
    assert second == {f"m{place}" for place in range(500, 600)}


def test_whoever_takes_a_chunk_has_the_next_taken_while_there_is_one(
    submit: Submit, groups: Groups, clock: Clock, store: redis.Redis
) -> None:
    gathered(submit, 250)
    store.delete(Queue.BULK)
    _take(groups, clock, "c1")
    assert store.llen(Queue.BULK) == 1
    _take(groups, clock, "c2")
    assert store.llen(Queue.BULK) == 1  # 50 are left, and wait
    clock.advance(2)
    assert groups.fill(Lane.BULK, clock()) == 1
    assert len(_take(groups, clock, "c3")) == 50
    assert groups.fill(Lane.BULK, clock()) == 0


def test_however_many_wait_the_queue_stays_short(
    submit: Submit, groups: Groups, clock: Clock, store: redis.Redis
) -> None:
    how = Gathers(1, 0)
    gathered(Submit(submit.records, gathering(groups, how), now=clock), 200)
    for _ in range(5):
        groups.fill(Lane.BULK, clock())
        groups.offer(Lane.BULK)
    assert store.llen(Queue.BULK) == MOST_TASKS


def test_many_workers_take_each_message_once(submit: Submit, redis_url: str, clock: Clock, records: Records) -> None:
    ids = gathered(submit, 1000)
    workers = [Groups(connect_briefly(redis_url)) for _ in range(8)]
    clock.advance(2)

    def work(place: int) -> list[MessageId]:
        return [one for turn in range(6) for one in _take(workers[place], clock, f"c{place}-{turn}")]

    with ThreadPoolExecutor(8) as pool:
        taken = Counter(one for some in pool.map(work, range(8)) for one in some)
    assert taken == Counter(ids)
    assert {read(records, one).attempts for one in ids} == {1}


@pytest.mark.parametrize("status", ["paused", "cancelled"])
def test_the_rows_of_a_batch_wait_or_end_as_the_batch_says(
    records: Records, groups: Groups, clock: Clock, store: redis.Redis, status: str
) -> None:
    message = Message.check({"to": "13800138000", "template": "T", "lane": "bulk"})
    record = draft(message, MessageId("b1-0"), client="", at=clock(), gathers=USUAL, row=True)
    records.accept(record, slot_of(record))
    store.hset(keys.batch("b1"), mapping={"status": status, "queued": 1})
    clock.advance(2)
    chunk = groups.take(Lane.BULK, "c1", claim(clock()), most=100)
    assert chunk.claimed == []
    assert chunk.cancelled == (["b1-0"] if status == "cancelled" else [])
    assert groups.fill(Lane.BULK, clock()) == 0
    assert store.llen(slot_of(record).key) == int(status == "paused")


def test_a_batch_counts_its_rows_by_state(records: Records, groups: Groups, clock: Clock, store: redis.Redis) -> None:
    message = Message.check({"to": "13800138000", "template": "T", "lane": "bulk"})
    record = draft(message, MessageId("b1-0"), client="", at=clock(), gathers=USUAL, row=True)
    records.accept(record, slot_of(record))
    store.hset(keys.batch("b1"), mapping={"status": "open", "queued": 1})
    clock.advance(2)
    groups.take(Lane.BULK, "c1", claim(clock()), most=100)
    assert store.hgetall(keys.batch("b1")) == {"status": "open", "queued": "0", "sending": "1"}
    records.move(record.id, State.SENT, at=clock())
    records.move(record.id, State.DELIVERED, at=clock())
    counts = {name: count for name, count in store.hgetall(keys.batch("b1")).items() if count not in ("0", "open")}
    assert counts == {"delivered": "1"}


def test_a_message_that_is_to_be_tried_again_waits_for_company_again(
    submit: Submit, groups: Groups, clock: Clock, records: Records, schedule: Schedule
) -> None:
    gathered(submit, 1)
    clock.advance(2)
    _take(groups, clock)
    at = clock()
    records.move(MessageId("m0"), State.QUEUED, at=at, fields={"not_before": at + 1000}, due=at + 1000)
    clock.advance(1)
    record = read(records, "m0")
    schedule.in_queue(record, since=clock(), slot=slot_of(record))
    clock.advance(2)
    assert _take(groups, clock, "c2") == ["m0"]
    assert read(records, "m0").chunks == ("c1", "c2")


def test_a_chunk_that_cannot_be_offered_is_accepted_all_the_same(
    records: Records, clock: Clock, start_redis: Callable[..., AbstractContextManager[tuple[str, object]]]
) -> None:
    with start_redis() as (url, _):
        gone = Groups(connect_briefly(url))
    assert len(gathered(Submit(records, gathering(gone), now=clock), 100)) == 100


def test_a_message_that_a_slower_clock_finds_too_early_is_not_forgotten(
    submit: Submit, groups: Groups, clock: Clock, records: Records, schedule: Schedule
) -> None:
    """Whoever let it wait for company again has a clock ahead of the worker's who takes it."""
    gathered(submit, 1)
    clock.advance(2)
    _take(groups, clock)
    again = clock() + 5_000
    records.move(MessageId("m0"), State.QUEUED, at=clock(), fields={"not_before": again}, due=again)
    schedule.in_queue(read(records, "m0"), since=clock() - 3_000, slot=slot_of(read(records, "m0")))
    assert _take(groups, clock, "c2") == []
    clock.advance(5)
    Wake(records, schedule, now=clock)()
    clock.advance(2)
    assert _take(groups, clock, "c3") == ["m0"]
