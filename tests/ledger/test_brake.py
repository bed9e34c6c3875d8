"""A lane whose messages die is paused, its messages are parked unharmed, and a probe lets it go again."""

from collections.abc import Callable

import pytest
import redis

from smsgate.channels.channel import Channel
from smsgate.flow.brake import Brake
from smsgate.flow.deliver import Deliver
from smsgate.flow.release import Release
from smsgate.flow.submit import Submit
from smsgate.flow.watch import Watch
from smsgate.ledger import keys
from smsgate.ledger.lanes import By, Lanes, Pause
from smsgate.ledger.records import Record, Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Lane, Message, MessageId
from smsgate.outcome import Fault, Outcome, Refused, Sent, Uncertain
from smsgate.queues import Queue
from smsgate.states import State
from tests.ledger.conftest import Clock
from tests.ledger.providers import Nobody, Provider, only

GOOD = {"to": "13800138000", "template": "T", "lane": "notice"}
MESSAGE = Message.check(GOOD)
NO_SIGN = Refused("isv.SMS_SIGN_ILLEGAL", Fault.CONFIGURATION)
Through = Callable[[Channel], Deliver]


@pytest.fixture
def release(watch: Watch, records: Records, schedule: Schedule, lanes: Lanes, brake: Brake, clock: Clock) -> Release:
    return Release(records, schedule, lanes, brake, only(Nobody(), watch), clock)


def _accept(records: Records, clock: Clock, count: int, prefix: str = "m") -> list[MessageId]:
    submit = Submit(records, now=clock)
    return [submit(MESSAGE, message_id=f"{prefix}{number}").id for number in range(count)]


def _read(records: Records, message_id: MessageId) -> Record:
    known = records.read(message_id)
    assert known is not None
    return known


def _try(deliver: Deliver, ids: list[MessageId]) -> None:
    for message_id in ids:
        deliver(message_id, MESSAGE.lane, lambda: MESSAGE)


def _braked(records: Records, deliver_through: Through, clock: Clock) -> None:
    _try(deliver_through(Provider(*[NO_SIGN] * 3)), _accept(records, clock, 3, "dead"))


def test_when_most_of_what_ends_ends_dead_the_lane_is_paused(
    records: Records, lanes: Lanes, deliver_through: Through, clock: Clock
) -> None:
    _try(deliver_through(Provider(*[NO_SIGN] * 2)), _accept(records, clock, 2))
    assert lanes.pauses() == {}
    _try(deliver_through(Provider(NO_SIGN)), _accept(records, clock, 1, "last"))
    assert lanes.pauses() == {Lane.NOTICE: Pause(By.BRAKE, "3 of the last 3 messages ended dead", clock())}


def test_a_few_dead_among_many_that_are_sent_pause_nothing(
    records: Records, lanes: Lanes, deliver_through: Through, clock: Clock
) -> None:
    answers: list[Outcome] = [NO_SIGN, Sent("1"), Sent("2")] * 10
    _try(deliver_through(Provider(*answers)), _accept(records, clock, 30))
    assert lanes.pauses() == {}


@pytest.mark.parametrize("outcome", [Refused("isv.MOBILE_NUMBER_ILLEGAL", Fault.MESSAGE), Uncertain("reset")])
def test_what_ends_otherwise_than_dead_pauses_nothing(
    records: Records, lanes: Lanes, deliver_through: Through, clock: Clock, outcome: Outcome
) -> None:
    _try(deliver_through(Provider(*[outcome] * 30)), _accept(records, clock, 30))
    assert lanes.pauses() == {}


def test_what_died_long_ago_counts_no_more(
    records: Records, lanes: Lanes, deliver_through: Through, clock: Clock
) -> None:
    for number in range(6):
        _try(deliver_through(Provider(NO_SIGN)), _accept(records, clock, 1, f"m{number}-"))
        clock.advance(31)
    assert lanes.pauses() == {}


def test_a_paused_lane_parks_its_messages_and_buries_none(
    records: Records, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    _braked(records, deliver_through, clock)
    ids = _accept(records, clock, 5)
    _try(deliver_through(Nobody()), ids)
    assert {_read(records, one).state for one in ids} == {State.QUEUED}
    assert {_read(records, one).attempts for one in ids} == {0}
    assert store.zcard(keys.parked(Lane.NOTICE)) == 5
    assert store.exists(keys.waiting(Lane.NOTICE)) == 0


def test_other_lanes_go_on(records: Records, deliver_through: Through, clock: Clock) -> None:
    _braked(records, deliver_through, clock)
    message = Message.check({**GOOD, "lane": "otp"})
    submitted = Submit(records, now=clock)(message)
    deliver_through(Provider())(submitted.id, message.lane, lambda: message)
    assert _read(records, submitted.id).state is State.SENT


def test_a_braked_lane_is_probed_by_one_message_at_a_time_and_goes_on_when_it_gets_through(
    records: Records, lanes: Lanes, release: Release, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    _braked(records, deliver_through, clock)
    ids = _accept(records, clock, 5)
    _try(deliver_through(Nobody()), ids)
    store.delete(Queue.NOTICE)
    assert release() == 0, "it is not probed at once"
    clock.advance(30)
    assert release() == 1
    provider = Provider()
    _try(deliver_through(provider), ids)
    assert [one.id for one in provider.received] == [ids[0], *ids[1:]]
    assert lanes.pauses() == {}


def test_a_probe_that_dies_leaves_the_lane_paused_and_the_others_unharmed(
    records: Records, lanes: Lanes, release: Release, deliver_through: Through, clock: Clock
) -> None:
    _braked(records, deliver_through, clock)
    ids = _accept(records, clock, 5)
    _try(deliver_through(Nobody()), ids)
    clock.advance(30)
    assert release() == 1
    provider = Provider(NO_SIGN)
    _try(deliver_through(provider), ids)
    assert len(provider.received) == 1
    assert [_read(records, one).state for one in ids] == [State.DEAD, *[State.QUEUED] * 4]
    assert lanes.pauses()[Lane.NOTICE].by is By.BRAKE
    assert release() == 0, "the next probe has to wait"


def test_a_lane_paused_by_hand_is_not_probed_and_goes_on_by_hand(
    records: Records, lanes: Lanes, release: Release, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    lanes.pause(Lane.NOTICE, Pause(By.HAND, "maintenance", clock()))
    ids = _accept(records, clock, 3)
    _try(deliver_through(Nobody()), ids)
    store.delete(Queue.NOTICE)
    clock.advance(3600)
    assert release() == 0
    assert lanes.resume(Lane.NOTICE)
    assert release(2) == 2
    assert release(2) == 1
    assert store.llen(Queue.NOTICE) == 3
    assert store.exists(keys.parked(Lane.NOTICE)) == 0


def test_a_hand_takes_over_from_the_brake_and_not_the_other_way_round(lanes: Lanes) -> None:
    braked, held = Pause(By.BRAKE, "dead", 1), Pause(By.HAND, "mine", 2)
    assert lanes.pause(Lane.OTP, braked)
    assert lanes.pause(Lane.OTP, held)
    assert not lanes.pause(Lane.OTP, braked)
    assert lanes.pauses() == {Lane.OTP: held}
    assert lanes.resume(Lane.OTP)
    assert not lanes.resume(Lane.OTP)


def test_a_parked_message_expires_like_any_other(
    records: Records, schedule: Schedule, lanes: Lanes, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    lanes.pause(Lane.NOTICE, Pause(By.HAND, "", clock()))
    ids = _accept(records, clock, 1)
    _try(deliver_through(Nobody()), ids)
    assert store.zscore(keys.due(Lane.NOTICE), ids[0]) == _read(records, ids[0]).valid_until


def test_what_was_begun_before_the_brake_is_no_probe(
    records: Records, lanes: Lanes, brake: Brake, deliver_through: Through, clock: Clock
) -> None:
    began = clock()
    clock.advance(1)
    _braked(records, deliver_through, clock)
    brake.learn(Lane.NOTICE, Sent("9001"), began=began)
    assert Lane.NOTICE in lanes.pauses()


def test_a_probe_does_not_undo_what_a_hand_has_paused_meanwhile(
    records: Records, lanes: Lanes, brake: Brake, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    _braked(records, deliver_through, clock)
    assert brake.lanes.pause_of(Lane.NOTICE) is not None
    Lanes(store).pause(Lane.NOTICE, Pause(By.HAND, "mine", clock()))
    clock.advance(30)
    brake.learn(Lane.NOTICE, Sent("9001"), began=clock())
    assert Lanes(store).pauses()[Lane.NOTICE].by is By.HAND
