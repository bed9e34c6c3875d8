"""Dead letters that are sent again, dropped, and messages that are called back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import redis

from smsgate.channels.channel import Channel
from smsgate.errors import RetryLater
from smsgate.flow.cancel import Called, Cancellation, cancel
from smsgate.flow.deliver import Deliver
from smsgate.flow.drop import Drop, Dropped
from smsgate.flow.patience import ATTEMPTS, MOST_REDELIVERIES
from smsgate.flow.replay import Replay, Replayed, Skipped, Why
from smsgate.flow.submit import Submit, draft
from smsgate.flow.wake import Wake
from smsgate.ledger import keys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.dead_letters import DeadLetters, Filter
from smsgate.ledger.records import LOOK_AGAIN, Record, Records
from smsgate.ledger.retention import Retention
from smsgate.ledger.schedule import Schedule
from smsgate.message import LONGEST_SCHEDULE, Lane, Message, MessageId
from smsgate.outcome import Fault, Refused, Unsent
from smsgate.queues import Queue
from smsgate.states import State
from tests.ledger.conftest import RETENTION, Clock
from tests.ledger.providers import Nobody, Provider
from tests.ledger.ways import brought_to

MESSAGE = Message.check({"to": "13800138000", "template": "T", "lane": "otp"})
ID = MessageId("m1")
DENIED = Refused("isv.SMS_SIGN_ILLEGAL", Fault.CONFIGURATION)
BUSY = Unsent("Throttling.User", Fault.THROTTLED, None)
OTP_LIFE = 300_000
Through = Callable[[Channel], Deliver]


@pytest.fixture
def letters(store: redis.Redis, records: Records) -> DeadLetters:
    return DeadLetters(store, records)


@pytest.fixture
def replay(records: Records, letters: DeadLetters, clock: Clock) -> Replay:
    return Replay(records, letters, clock)


@pytest.fixture
def wake(records: Records, schedule: Schedule, clock: Clock) -> Wake:
    return Wake(records, schedule, now=clock)


def _read(records: Records, message_id: MessageId = ID) -> Record:
    known = records.read(message_id)
    assert known is not None
    return known


def _die(records: Records, deliver_through: Through, clock: Clock, message_id: MessageId = ID) -> MessageId:
    """Bring a message to its death as a wrong key does it, and leave no task behind."""
    Submit(records, now=clock)(MESSAGE, message_id=message_id)
    deliver_through(Provider(DENIED))(message_id, MESSAGE.lane, lambda: MESSAGE)
    assert _read(records, message_id).state is State.DEAD
    return message_id


def _fall(records: Records, name: str, at: int, reason: str = "isv.AMOUNT_NOT_ENOUGH") -> MessageId:
    message_id = MessageId(name)
    records.accept(draft(MESSAGE, message_id, client="", at=at), slot=None)
    records.move(message_id, State.DEAD, at=at, fields={"reason": reason})
    return message_id


def test_a_replayed_letter_goes_the_whole_road_again(
    records: Records, replay: Replay, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    _die(records, deliver_through, clock)
    store.delete(Queue.OTP)
    clock.advance(3600)
    assert replay.these([ID]) == Replayed(1, clock())
    known = _read(records)
    assert (known.state, known.reason, known.attempts, known.budget) == (State.QUEUED, None, 1, 1 + ATTEMPTS)
    assert (known.valid_until, known.not_before, known.asks) == (clock() + OTP_LIFE, 0, 0)
    assert known.timeline[-1].detail == {"replayed": True}
    assert store.llen(Queue.OTP) == 1
    assert store.zscore(keys.due(Lane.OTP), ID) == known.valid_until
    assert store.zscore(keys.waiting(Lane.OTP), ID) == clock()
    assert store.zscore(keys.DEAD, ID) is None
    provider = Provider()
    deliver_through(provider)(ID, MESSAGE.lane, lambda: MESSAGE)
    assert [one.id for one in provider.received] == [ID]
    assert _read(records).state is State.SENT


def test_a_replayed_letter_has_five_attempts_anew(
    records: Records, replay: Replay, deliver_through: Through, clock: Clock
) -> None:
    _die(records, deliver_through, clock)
    replay.these([ID])
    deliver = deliver_through(Provider(*[BUSY] * 9))
    used = []
    for _ in range(ATTEMPTS):
        with pytest.raises(RetryLater) as later:
            deliver(ID, MESSAGE.lane, lambda: MESSAGE)
        used.append(later.value.used)
    deliver_through(Nobody())(ID, MESSAGE.lane, lambda: MESSAGE)
    assert used == [1, 2, 3, 4, 5], "Celery counts from the replay on"
    assert (_read(records).state, _read(records).attempts) == (State.DEAD, 1 + ATTEMPTS)


def test_a_letter_that_killed_its_workers_is_not_buried_again_by_one_more(
    records: Records, replay: Replay, deliver_through: Through, clock: Clock
) -> None:
    Submit(records, now=clock)(MESSAGE, message_id=ID)
    for _ in range(MOST_REDELIVERIES):
        records.begin(ID, Lane.NOTICE, redelivered=True, claim=None)
    deliver_through(Nobody())(ID, MESSAGE.lane, lambda: MESSAGE, redelivered=True)
    assert _read(records).reason == "poison"
    replay.these([ID])
    deliver_through(Provider())(ID, MESSAGE.lane, lambda: MESSAGE, redelivered=True)
    assert _read(records).state is State.SENT


def test_replaying_twice_does_nothing_twice(
    records: Records, replay: Replay, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    _die(records, deliver_through, clock)
    store.delete(Queue.OTP)
    assert replay.these([ID, ID]).count == 1
    before = _read(records)
    assert replay.these([ID]) == Replayed(skipped=(Skipped(ID, Why.NOT_DEAD),))
    assert _read(records) == before
    assert store.llen(Queue.OTP) == 1


@pytest.mark.parametrize("state", sorted(set(State) - {State.DEAD}))
def test_what_is_not_dead_is_not_replayed(records: Records, replay: Replay, state: State, store: redis.Redis) -> None:
    before = brought_to(records, draft(MESSAGE, ID, client="", at=1), state)
    assert replay.these([ID]).skipped == (Skipped(ID, Why.NOT_DEAD),)
    assert _read(records) == before
    assert store.llen(Queue.OTP) == 0


def test_what_is_not_there_or_not_the_clients_is_missing(records: Records, replay: Replay, clock: Clock) -> None:
    records.accept(draft(MESSAGE, ID, client="bank", at=clock()), slot=None)
    records.move(ID, State.DEAD, at=clock())
    other = MessageId("other")
    assert {one.why for one in replay.these([ID, other], client="shop").skipped} == {Why.MISSING}
    assert replay.matching(Filter(client="shop")).count == 0
    assert replay.these([ID], client="bank").count == 1


def test_twenty_that_replay_the_same_letter_send_one_sms(
    records: Records, deliver_through: Through, clock: Clock, redis_url: str, store: redis.Redis
) -> None:
    _die(records, deliver_through, clock)
    store.delete(Queue.OTP)
    gate = Barrier(20)

    def press() -> Replayed:
        own = connect_briefly(redis_url)
        theirs = Records(own, retention=Retention(RETENTION))
        gate.wait()
        return Replay(theirs, DeadLetters(own, theirs), clock).these([ID])

    with ThreadPoolExecutor(20) as pool:
        results = [one.result() for one in [pool.submit(press) for _ in range(20)]]
    assert sum(one.count for one in results) == 1
    assert store.llen(Queue.OTP) == 1
    provider = Provider()
    deliver = deliver_through(provider)
    for _ in range(store.llen(Queue.OTP)):
        deliver(ID, MESSAGE.lane, lambda: MESSAGE)
    assert len(provider.received) == 1


def test_a_letter_that_died_again_meanwhile_is_judged_by_what_it_is_now(
    records: Records, letters: DeadLetters, replay: Replay, deliver_through: Through, clock: Clock
) -> None:
    """A slow operator must not take attempts away from a message that a faster one has replayed."""
    _die(records, deliver_through, clock)
    stale = _read(records)
    replay.these([ID])
    deliver_through(Provider(DENIED))(ID, MESSAGE.lane, lambda: MESSAGE)
    moved = records.move(ID, State.QUEUED, at=clock(), only_from=State.DEAD, of_attempt=stale.attempts)
    assert moved.before is State.DEAD
    assert _read(records).state is State.DEAD
    assert replay.these([ID]).count == 1
    assert _read(records).budget == 2 + ATTEMPTS


def test_many_are_spaced_in_time_and_the_schedule_brings_each_at_its_own(
    records: Records, replay: Replay, wake: Wake, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    for number in range(6):
        _fall(records, f"m{number}", clock() + number)
    clock.advance(1)
    done = replay.matching(Filter(), rate=2)
    assert (done.count, done.until, done.next) == (6, clock() + 2500, None)
    assert store.llen(Queue.OTP) == 1
    last = _read(records, MessageId("m0"))
    assert (last.not_before, last.valid_until) == (clock() + 2500, clock() + 2500 + OTP_LIFE)
    assert last.timeline[-1].detail == {"replayed": True, "not_before": clock() + 2500}
    provider = Provider()
    sent = []
    for _ in range(6):
        for number in range(6):
            message_id = MessageId(f"m{number}")
            if store.zscore(keys.waiting(Lane.OTP), message_id) is not None:
                deliver_through(provider)(message_id, MESSAGE.lane, lambda: MESSAGE)
        sent.append(len(provider.received))
        clock.advance(0.5)
        wake()
    assert sent == [1, 2, 3, 4, 5, 6]
    assert [one.id for one in provider.received] == ["m5", "m4", "m3", "m2", "m1", "m0"]


def test_a_replay_that_was_cut_off_goes_on_with_the_others(
    records: Records, replay: Replay, clock: Clock, store: redis.Redis
) -> None:
    for number in range(5):
        _fall(records, f"m{number}", clock() + number)
    first = replay.matching(Filter(), limit=2)
    assert (first.count, first.next is not None) == (2, True)
    again = replay.matching(Filter())
    assert (again.count, again.next) == (3, None)
    assert store.llen(Queue.OTP) == 5
    assert replay.matching(Filter()).count == 0


def test_a_rate_under_which_messages_would_outlast_their_records_leaves_the_rest_dead(
    records: Records, letters: DeadLetters, replay: Replay, clock: Clock
) -> None:
    for number in range(5):
        _fall(records, f"m{number}", clock() + number)
    done = replay.matching(Filter(), rate=2.5 / LONGEST_SCHEDULE)
    assert (done.count, done.next is not None) == (2, True)
    assert letters.counts(Filter()).total == 3


def test_what_may_have_been_sent_is_replayed_only_by_name(records: Records, replay: Replay, clock: Clock) -> None:
    doubtful, plain = _fall(records, "doubtful", clock(), "uncertain"), _fall(records, "plain", clock())
    done = replay.matching(Filter())
    assert (done.count, done.skipped) == (1, (Skipped(doubtful, Why.MAY_HAVE_BEEN_SENT),))
    assert _read(records, plain).state is State.QUEUED
    assert replay.matching(Filter(reason="uncertain")).count == 1
    _fall(records, "other", clock(), "uncertain")
    assert replay.these([MessageId("other")]).count == 1


def test_a_filter_chooses_what_is_replayed_and_what_is_dropped(
    records: Records, letters: DeadLetters, replay: Replay, clock: Clock
) -> None:
    for number in range(4):
        _fall(records, f"m{number}", clock() + number, "one" if number % 2 else "two")
    assert replay.matching(Filter(reason="one")).count == 2
    assert Drop(records, letters, clock).matching(Filter()) == 2
    assert _read(records, MessageId("m0")).state is State.CANCELLED
    assert _read(records, MessageId("m1")).state is State.QUEUED


def test_a_replay_into_a_braked_lane_is_parked(
    records: Records, replay: Replay, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    ids = [_die(records, deliver_through, clock, MessageId(f"m{number}")) for number in range(3)]
    assert replay.these(ids).count == 3
    for one in ids:
        deliver_through(Nobody())(one, MESSAGE.lane, lambda: MESSAGE)
    assert store.zcard(keys.parked(Lane.OTP)) == 3


def test_dropping_a_letter_is_for_good(
    records: Records, letters: DeadLetters, replay: Replay, clock: Clock, store: redis.Redis
) -> None:
    drop = Drop(records, letters, clock)
    _fall(records, ID, clock())
    assert drop(ID) is Dropped.DROPPED
    known = _read(records)
    assert (known.state, known.reason, known.timeline[-1].detail) == (
        State.CANCELLED,
        "isv.AMOUNT_NOT_ENOUGH",
        {"dropped": True},
    )
    assert store.zcard(keys.DEAD) == 0
    assert drop(ID) is Dropped.DROPPED
    assert replay.these([ID]).count == 0
    assert drop(MessageId("none")) is Dropped.MISSING


@pytest.mark.parametrize("state", sorted(set(State) - {State.DEAD, State.CANCELLED}))
def test_what_is_not_dead_is_not_dropped(records: Records, letters: DeadLetters, state: State) -> None:
    before = brought_to(records, draft(MESSAGE, ID, client="", at=1), state)
    assert Drop(records, letters)(ID) is Dropped.NOT_DEAD
    assert _read(records) == before


def test_a_queued_message_is_called_back_and_its_task_does_nothing(
    records: Records, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    Submit(records, now=clock)(MESSAGE, message_id=ID)
    assert cancel(records, ID, now=clock) == Cancellation(Called.BACK, State.CANCELLED)
    assert cancel(records, ID, now=clock) == Cancellation(Called.BACK, State.CANCELLED)
    for index in (keys.due(Lane.OTP), keys.waiting(Lane.OTP), keys.parked(Lane.OTP)):
        assert store.zcard(index) == 0
    deliver_through(Nobody())(ID, MESSAGE.lane, lambda: MESSAGE)
    assert len(_read(records).timeline) == 2


def test_a_message_that_waits_for_its_time_or_its_lane_is_called_back(
    records: Records, schedule: Schedule, wake: Wake, clock: Clock, store: redis.Redis
) -> None:
    for name in ("later", "parked", "retried"):
        Submit(records, now=clock)(MESSAGE, message_id=name)
    schedule.until(_read(records, MessageId("later")), clock() + 5000)
    schedule.park(_read(records, MessageId("parked")), now=clock())
    schedule.in_queue(_read(records, MessageId("retried")), since=clock() + 2000, slot=None)
    for name in ("later", "parked", "retried"):
        assert cancel(records, MessageId(name), now=clock).called is Called.BACK
    store.delete(Queue.OTP)
    clock.advance(60)
    assert wake() == 0
    assert store.llen(Queue.OTP) == store.zcard(keys.parked(Lane.OTP)) == store.zcard(keys.waiting(Lane.OTP)) == 0


@pytest.mark.parametrize("state", sorted(set(State) - {State.QUEUED, State.CANCELLED}))
def test_what_has_begun_or_ended_is_too_late_to_call_back(records: Records, state: State) -> None:
    before = brought_to(records, draft(MESSAGE, ID, client="", at=1), state)
    assert cancel(records, ID) == Cancellation(Called.TOO_LATE, state)
    assert _read(records) == before


def test_what_was_never_there_cannot_be_called_back(records: Records) -> None:
    assert cancel(records, ID) == Cancellation(Called.MISSING, None)


def test_a_replayed_message_can_be_called_back(records: Records, replay: Replay, clock: Clock) -> None:
    _fall(records, "m0", clock())
    _fall(records, ID, clock())
    replay.matching(Filter(), rate=0.01)
    assert cancel(records, MessageId("m0"), now=clock).called is Called.BACK
    assert cancel(records, ID, now=clock).called is Called.BACK


def test_a_worker_killed_between_the_last_failure_and_its_note_of_it_loses_no_message(
    records: Records, wake: Wake, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    """What Redis holds then: a queued message out of attempts, whose task Celery has let go of."""
    Submit(records, now=clock)(MESSAGE, message_id=ID)
    deliver = deliver_through(Provider(*[BUSY] * ATTEMPTS))
    for _ in range(ATTEMPTS):
        with pytest.raises(RetryLater):
            deliver(ID, MESSAGE.lane, lambda: MESSAGE)
    store.delete(Queue.OTP)
    assert _read(records).state is State.QUEUED
    clock.advance(LOOK_AGAIN / 1000)
    assert wake() == 1
    assert store.llen(Queue.OTP) == 1
    deliver_through(Nobody())(ID, MESSAGE.lane, lambda: MESSAGE)
    assert (_read(records).state, _read(records).reason) == (State.DEAD, "Throttling.User")
    assert store.zscore(keys.DEAD, ID) == clock()
