"""The level of degradation over a real Redis: what is measured, who sets it, and what it does to lanes and doors."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from smsgate.channels.channel import Channel
from smsgate.errors import Degraded
from smsgate.flow.brake import Brake
from smsgate.flow.carry import Carry
from smsgate.flow.degrade import Degrade, fix
from smsgate.flow.deliver import Deliver
from smsgate.flow.deliver_chunk import DeliverChunk
from smsgate.flow.door import Door
from smsgate.flow.gather import Gather
from smsgate.flow.release import Release
from smsgate.flow.submit import Submit, new_id
from smsgate.flow.submit_batch import SubmitBatch
from smsgate.flow.watch import Watch
from smsgate.flow.write_rows import given
from smsgate.ledger import keys
from smsgate.ledger.backlog import Backlog
from smsgate.ledger.batches import Batches
from smsgate.ledger.claims import Claims
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.degradations import MOST_CHANGES, Degradations
from smsgate.ledger.groups import Groups
from smsgate.ledger.lanes import By, Lanes, Pause
from smsgate.ledger.records import Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Common, Lane, Message, MessageId
from smsgate.queues import Queue
from smsgate.routing.degradation import DegradationRule, Level
from smsgate.states import State
from tests.ledger.conftest import Clock
from tests.ledger.gathered import gathered, gathering, number, read
from tests.ledger.providers import Nobody, Provider, only

CODE = Message.check({"to": "13800138000", "template": "T", "lane": "otp"})
NOTICE = Message.check({"to": "13800138000", "template": "T", "lane": "notice"})
BULK = Message.check({"to": "13800138000", "template": "T", "lane": "bulk"})


@pytest.fixture
def clock() -> Clock:
    """One that begins now: a level that the rule set goes stale by the clock on the wall."""
    return Clock(at=time.time_ns() // 1_000_000)


@pytest.fixture
def levels(store: redis.Redis) -> Degradations:
    return Degradations(store)


@pytest.fixture
def groups(store: redis.Redis) -> Groups:
    return Groups(store)


@pytest.fixture
def degrade(store: redis.Redis, watch: Watch, clock: Clock) -> Callable[..., Degrade]:
    def build(rule: DegradationRule | None = None) -> Degrade:
        ways = only(Nobody(), watch)
        told = rule or DegradationRule()
        return Degrade(Degradations(store), Backlog(store), Lanes(store), ways, watch, lambda: told, clock)

    return build


def _accept(records: Records, clock: Clock, message: Message, name: str) -> str:
    return Submit(records, now=clock)(message, message_id=name).id


def _run(chore: Degrade, clock: Clock, seconds: int) -> list[int]:
    levels = []
    for _ in range(seconds):
        clock.advance(1)
        levels.append(int(chore()))
    return levels


def test_codes_that_wait_raise_the_level_step_by_step_and_their_end_lowers_it(
    records: Records, degrade: Callable[..., Degrade], levels: Degradations, clock: Clock, store: redis.Redis
) -> None:
    _accept(records, clock, CODE, "m1")
    with capture_logs() as logs:
        levels_up = _run(degrade(), clock, 30)
    assert levels_up == sorted(levels_up)
    assert (levels_up[5], levels_up[-1]) == (0, 3)
    assert [entry["after"] for entry in logs if entry["event"] == "level_changed"] == [1, 2, 3]
    assert [entry["log_level"] for entry in logs if entry["event"] == "level_changed"][-1] == "critical"

    store.delete(keys.waiting(Lane.OTP))
    assert _run(degrade(), clock, 100)[-1] == 0
    changes = levels.changes()
    assert [(one.before, one.after, one.by) for one in reversed(changes)] == [
        *[(0, 1, "rule"), (1, 2, "rule"), (2, 3, "rule")],
        *[(3, 2, "rule"), (2, 1, "rule"), (1, 0, "rule")],
    ]
    assert changes[0].why == "calm"
    assert "waited" in changes[-1].why


def test_notices_that_wait_in_groups_count_and_rows_of_batches_do_not(
    records: Records, groups: Groups, store: redis.Redis, clock: Clock
) -> None:
    submit = Submit(records, gathering(groups), now=clock)
    began = clock()
    gathered(submit, 150, lane="notice")
    common = Common.check({"template": "T", "lane": "otp"})
    SubmitBatch(records, Batches(store), groups, clock)(common, [given(0, {"to": "13800138000"})])
    clock.advance(400)
    ages = Backlog(store).ages(clock())
    assert ages == {Lane.OTP: 0.0, Lane.NOTICE: (clock() - began) / 1000, Lane.BULK: 0.0}


def test_a_large_group_of_which_chunks_are_taken_is_as_old_as_its_oldest_message(
    records: Records, groups: Groups, store: redis.Redis, clock: Clock, brake: Brake, watch: Watch, carry: Carry
) -> None:
    gathered(Submit(records, gathering(groups), now=clock), 250, lane="notice")
    clock.advance(400)
    DeliverChunk(records, groups, brake, only(Provider(), watch), carry, now=clock)(Lane.NOTICE)
    assert Backlog(store).ages(clock())[Lane.NOTICE] == 400


def test_a_lane_that_a_hand_has_paused_says_nothing(
    records: Records, degrade: Callable[..., Degrade], clock: Clock, store: redis.Redis
) -> None:
    _accept(records, clock, CODE, "m1")
    Lanes(store).pause(Lane.OTP, Pause(By.HAND, "", clock()))
    assert _run(degrade(), clock, 30)[-1] == 0


def test_without_a_channel_for_codes_notices_are_delayed(
    degrade: Callable[..., Degrade], watch: Watch, clock: Clock
) -> None:
    watch.open_by_hand("provider", "drill")
    assert _run(degrade(), clock, 12)[-1] == 2
    watch.close_by_hand("provider")
    assert _run(degrade(), clock, 61)[-1] == 0


def test_two_beats_at_once_store_and_tell_each_change_once(
    records: Records, degrade: Callable[..., Degrade], levels: Degradations, clock: Clock
) -> None:
    _accept(records, clock, CODE, "m1")
    chores = [degrade() for _ in range(4)]
    for _ in range(30):
        clock.advance(1)
        threads = [threading.Thread(target=chore) for chore in chores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [(one.before, one.after) for one in reversed(levels.changes())] == [(0, 1), (1, 2), (2, 3)]


def test_only_the_latest_changes_are_kept(levels: Degradations, clock: Clock) -> None:
    for turn in range(60):
        fix(levels, Level(turn % 2), "drill", clock())
    assert len(levels.changes()) == MOST_CHANGES


def test_a_hand_overrides_the_rule_until_it_is_left_to_it_again(
    degrade: Callable[..., Degrade], levels: Degradations, clock: Clock
) -> None:
    fix(levels, Level.ONLY_CODES, "drill", clock())
    assert _run(degrade(), clock, 100) == [3] * 100
    fix(levels, None, "", clock())
    assert degrade()() == 0
    assert [(one.after, one.by, one.why) for one in levels.changes()] == [
        (0, "hand", "back to the rule"),
        (3, "hand", "drill"),
    ]


# What a level does to a lane.


def test_at_level_1_bulk_messages_are_parked_and_go_on_when_the_level_falls(
    records: Records,
    schedule: Schedule,
    lanes: Lanes,
    brake: Brake,
    watch: Watch,
    deliver_through: Callable[[Channel], Deliver],
    levels: Degradations,
    clock: Clock,
    store: redis.Redis,
) -> None:
    fix(levels, Level.BULK_PAUSED, "drill", clock())
    one = _accept(records, clock, BULK, "m1")
    other = _accept(records, clock, NOTICE, "m2")
    deliver_through(Nobody())(one, Lane.BULK, lambda: BULK)
    deliver_through(provider := Provider())(other, Lane.NOTICE, lambda: NOTICE)
    assert (read(records, one).state, read(records, one).attempts) == (State.QUEUED, 0)
    assert store.zscore(keys.due(Lane.BULK), one) == read(records, one).valid_until
    assert len(provider.received) == 1

    release = Release(records, schedule, lanes, brake, only(Nobody(), watch), clock)
    assert release() == 0
    fix(levels, None, "", clock())
    assert release() == 1


def test_what_a_hand_pauses_or_resumes_outlasts_the_level(levels: Degradations, lanes: Lanes, clock: Clock) -> None:
    held = Pause(By.HAND, "mine", 1)
    lanes.pause(Lane.NOTICE, held)
    fix(levels, Level.NOTICES_DELAYED, "drill", clock())
    assert lanes.pauses()[Lane.NOTICE] == held
    assert lanes.pauses()[Lane.BULK].by is By.DEGRADATION
    assert lanes.resume(Lane.BULK)
    assert Lane.BULK not in lanes.pauses()
    fix(levels, None, "", clock())
    assert lanes.pauses() == {Lane.NOTICE: held}
    fix(levels, Level.BULK_PAUSED, "again", clock())
    assert lanes.pauses()[Lane.BULK].by is By.DEGRADATION


def test_a_braked_lane_stands_still_under_a_level_and_is_braked_after_it(
    levels: Degradations, lanes: Lanes, clock: Clock
) -> None:
    braked = Pause(By.BRAKE, "dead", clock())
    lanes.pause(Lane.BULK, braked)
    fix(levels, Level.BULK_PAUSED, "drill", clock())
    assert lanes.pauses()[Lane.BULK].by is By.DEGRADATION
    fix(levels, None, "", clock())
    assert lanes.pauses() == {Lane.BULK: braked}


def test_delayed_notices_leave_a_chunk_at_a_time(
    records: Records,
    groups: Groups,
    lanes: Lanes,
    brake: Brake,
    watch: Watch,
    carry: Carry,
    levels: Degradations,
    clock: Clock,
    store: redis.Redis,
) -> None:
    gathered(Submit(records, gathering(groups), now=clock), 300, lane="notice")
    store.delete(Queue.NOTICE)
    fix(levels, Level.NOTICES_DELAYED, "drill", clock())
    ways = only(Provider(), watch)
    assert Gather(groups, lanes, ways, clock)() == 1
    deliver = DeliverChunk(records, groups, brake, ways, carry, now=clock)
    assert [deliver(Lane.NOTICE), deliver(Lane.NOTICE)] == [100, 0]
    time.sleep(1.1)
    assert deliver(Lane.NOTICE) == 100
    fix(levels, Level.ONLY_CODES, "drill", clock())
    time.sleep(1.1)
    assert deliver(Lane.NOTICE) == 0


def test_a_single_notice_goes_through_a_delay_now_and_then(
    records: Records,
    schedule: Schedule,
    lanes: Lanes,
    brake: Brake,
    watch: Watch,
    deliver_through: Callable[[Channel], Deliver],
    levels: Degradations,
    clock: Clock,
) -> None:
    fix(levels, Level.NOTICES_DELAYED, "drill", clock())
    deliver = deliver_through(provider := Provider())
    for name in ("m1", "m2", "m3"):
        deliver(_accept(records, clock, NOTICE, name), Lane.NOTICE, lambda: NOTICE)
    assert [one.id for one in provider.received] == ["m1"]
    release = Release(records, schedule, lanes, brake, only(Nobody(), watch), clock)
    assert release() == 0
    time.sleep(1.1)
    assert release() == 1
    deliver(MessageId("m2"), Lane.NOTICE, lambda: NOTICE)
    assert [one.id for one in provider.received] == ["m1", "m2"]


# What it does at the door.


@pytest.fixture
def submit(records: Records, levels: Degradations, store: redis.Redis, clock: Clock) -> Callable[[], Submit]:
    """Build a door that has not read the level yet."""
    return lambda: Submit(records, now=clock, claims=Claims(store), door=Door(levels, clock))


def test_at_level_3_only_codes_are_taken_and_what_was_accepted_before_is_answered_as_before(
    submit: Callable[[], Submit], levels: Degradations, clock: Clock
) -> None:
    before = submit()(NOTICE, client="shop", idempotency_key="k")
    named = submit()(NOTICE, message_id="mine")
    fix(levels, Level.ONLY_CODES, "drill", clock())
    assert submit()(CODE).id
    assert submit()(NOTICE, client="shop", idempotency_key="k").id == before.id
    assert submit()(NOTICE, message_id="mine").id == named.id
    for message in (NOTICE, BULK):
        with pytest.raises(Degraded, match="level 3 only_codes") as refused:
            submit()(message, client="shop", idempotency_key=f"new-{message.lane}")
        assert (refused.value.level, refused.value.wait) == (3, 30)
    with pytest.raises(Degraded):
        submit().reserve(NOTICE, new_id())


@pytest.mark.parametrize(("level", "takes"), [(0, True), (1, True), (2, False), (3, False)])
def test_batches_are_taken_below_level_2_and_begun_ones_go_on(
    records: Records, groups: Groups, store: redis.Redis, levels: Degradations, clock: Clock, level: int, takes: bool
) -> None:
    common = Common.check({"template": "T", "lane": "bulk"})
    rows = [given(0, {"to": number(1)})]

    def batch() -> SubmitBatch:
        return SubmitBatch(records, Batches(store), groups, clock, door=Door(levels, clock))

    begun = batch()(common, rows, client="shop", idempotency_key="k")
    fix(levels, Level(level), "drill", clock())
    batch().look("shop", "k")
    assert batch()(common, rows, client="shop", idempotency_key="k").id == begun.id
    for attempt in (lambda: batch().look("shop", None), lambda: batch()(common, rows)):
        if takes:
            attempt()
        else:
            with pytest.raises(Degraded, match="batches are not taken"):
                attempt()


def test_a_level_that_beat_does_not_look_after_any_more_shuts_no_door(
    records: Records, degrade: Callable[..., Degrade], submit: Callable[[], Submit], clock: Clock
) -> None:
    _accept(records, clock, CODE, "m1")
    assert _run(degrade(), clock, 30)[-1] == 3
    with pytest.raises(Degraded):
        submit()(NOTICE)
    clock.advance(70)
    assert submit()(NOTICE).id


def test_while_redis_is_away_the_door_refuses_nothing_by_itself(
    start_redis: Callable[..., AbstractContextManager[Any]], clock: Clock
) -> None:
    with start_redis() as (url, server):
        levels = Degradations(connect_briefly(url))
        fix(levels, Level.ONLY_CODES, "drill", clock())
        door = Door(levels, clock)
        assert not door.takes(Lane.BULK)
        server.kill()
        server.wait()
        assert Door(levels, clock).takes(Lane.BULK)


def test_the_door_asks_redis_once_a_second_at_most(levels: Degradations, store: redis.Redis, clock: Clock) -> None:
    door = Door(levels, clock)
    before = _commands(store)
    for _ in range(1000):
        door.takes(Lane.OTP)
    assert _commands(store) - before <= 3


def _commands(store: redis.Redis) -> int:
    known: Mapping[str, Any] = store.info("commandstats").get("cmdstat_hgetall", {})
    return int(known.get("calls", 0))
