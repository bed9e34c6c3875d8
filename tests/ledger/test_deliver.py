from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import redis
from structlog.testing import capture_logs

from smsgate.channels.channel import Channel, Submission
from smsgate.errors import InvalidMessage, RetryLater
from smsgate.flow.brake import Brake
from smsgate.flow.carry import Carry
from smsgate.flow.deliver import Deliver
from smsgate.flow.patience import ATTEMPTS, MOST_REDELIVERIES
from smsgate.flow.stage import LAST_CALL
from smsgate.flow.submit import Submit
from smsgate.flow.watch import Watch
from smsgate.ledger import keys
from smsgate.ledger.records import Record, Records
from smsgate.ledger.schedule import Schedule
from smsgate.ledger.slots import Slot
from smsgate.message import Lane, Message, MessageId
from smsgate.outcome import Fault, Outcome, Refused, Uncertain, Unsent
from smsgate.queues import Queue
from smsgate.states import State
from tests.ledger.providers import Nobody, Provider, SlowProvider, only

ID = MessageId("m1")
FIELDS = {"to": "13800138000", "template": "T", "params": {"code": "987654"}, "lane": "otp", "valid_for": 300}
MESSAGE = Message.check(FIELDS)
Clock = Callable[[], int]
Through = Callable[[Channel], Deliver]


def _read(records: Records) -> Record:
    known = records.read(ID)
    assert known is not None
    return known


@pytest.fixture
def _accepted(records: Records, clock: Clock) -> None:
    Submit(records, now=clock)(MESSAGE, message_id=ID)


accepted = pytest.mark.usefixtures("_accepted")


@accepted
def test_an_accepted_message_is_sent_once_and_settled(records: Records, clock: Clock, deliver_through: Through) -> None:
    provider = Provider()
    deliver_through(provider)(ID, MESSAGE.lane, lambda: MESSAGE)
    known = _read(records)
    assert (known.state, known.channel, known.provider_id, known.attempts) == (State.SENT, "provider", "sms-1", 1)
    assert [event.state for event in known.timeline] == [State.QUEUED, State.SENDING, State.SENT]
    assert known.timeline[1].detail == {"attempt": 1, "channel": "provider"}


@accepted
def test_a_provider_gets_the_message_as_it_was_given_under_our_id(
    records: Records, clock: Clock, deliver_through: Through
) -> None:
    provider = Provider()
    deliver_through(provider)(ID, MESSAGE.lane, lambda: MESSAGE)
    assert provider.received == [Submission(ID, MESSAGE.to, "短信网关", "T", {"code": "987654"})]


def test_a_messages_own_sign_goes_before_the_gateways(records: Records, clock: Clock, deliver_through: Through) -> None:
    provider = Provider()
    deliver_through(provider)(ID, MESSAGE.lane, lambda: MESSAGE.model_copy(update={"sign": "阿里云"}))
    assert provider.received[0].sign == "阿里云"


@accepted
def test_a_task_that_comes_again_is_not_sent_again(records: Records, clock: Clock, deliver_through: Through) -> None:
    provider = Provider()
    deliver = deliver_through(provider)
    for _ in range(3):
        deliver(ID, MESSAGE.lane, lambda: MESSAGE)
    assert len(provider.received) == 1
    assert _read(records).state is State.SENT


@accepted
def test_a_task_that_comes_again_after_the_receipt_changes_nothing(
    records: Records, clock: Clock, deliver_through: Through
) -> None:
    provider = Provider()
    deliver = deliver_through(provider)
    deliver(ID, MESSAGE.lane, lambda: MESSAGE)
    records.move(ID, State.DELIVERED, at=clock())
    before = _read(records)
    deliver(ID, MESSAGE.lane, lambda: MESSAGE)
    assert _read(records) == before


@accepted
def test_an_attempt_that_did_not_send_is_tried_again_and_counted(
    records: Records, clock: Clock, deliver_through: Through
) -> None:
    provider = Provider(Unsent("dns", Fault.PROVIDER), Unsent("throttled", Fault.THROTTLED, 1.0))
    deliver = deliver_through(provider)
    for reason in ("dns", "throttled"):
        with pytest.raises(RetryLater, match=reason):
            deliver(ID, MESSAGE.lane, lambda: MESSAGE)
        assert _read(records).state is State.QUEUED
    deliver(ID, MESSAGE.lane, lambda: MESSAGE)
    known = _read(records)
    assert (known.state, known.attempts, known.reason) == (State.SENT, 3, None)
    assert [event.detail.get("attempt") for event in known.timeline if event.state is State.SENDING] == [1, 2, 3]


@accepted
@pytest.mark.parametrize("outcome", [Uncertain("read_timeout"), Refused("isv.BLACK", Fault.MESSAGE)])
def test_what_may_have_gone_out_or_never_will_is_not_tried_again(
    records: Records, clock: Clock, outcome: Outcome, deliver_through: Through
) -> None:
    provider = Provider(outcome)
    deliver = deliver_through(provider)
    deliver(ID, MESSAGE.lane, lambda: MESSAGE)
    deliver(ID, MESSAGE.lane, lambda: MESSAGE)
    assert len(provider.received) == 1


@accepted
def test_a_channel_that_breaks_leaves_the_message_uncertain_and_its_words_unsaid(
    records: Records, clock: Clock, deliver_through: Through
) -> None:
    with capture_logs() as logs:
        deliver_through(Provider(RuntimeError("PhoneNumbers=13800138000 987654")))(ID, MESSAGE.lane, lambda: MESSAGE)
    known = _read(records)
    assert (known.state, known.reason) == (State.UNCERTAIN, "RuntimeError")
    for shown in (repr(logs), repr(known.timeline)):
        assert "13800138000" not in shown
        assert "987654" not in shown


@accepted
def test_a_message_that_has_expired_is_never_sent(records: Records, clock: Clock, deliver_through: Through) -> None:
    provider = Provider()
    clock.advance(300)
    deliver_through(provider)(ID, MESSAGE.lane, lambda: MESSAGE)
    known = _read(records)
    assert (known.state, known.reason, known.attempts) == (State.EXPIRED, "expired", 0)
    assert provider.received == []


@accepted
def test_a_message_is_sent_until_its_last_moment(records: Records, clock: Clock, deliver_through: Through) -> None:
    clock.advance(299.999)
    deliver_through(Provider())(ID, MESSAGE.lane, lambda: MESSAGE)
    assert _read(records).state is State.SENT


@accepted
def test_a_retry_that_comes_too_late_is_expired(records: Records, clock: Clock, deliver_through: Through) -> None:
    provider = Provider(Unsent("dns", Fault.PROVIDER, 10.0))
    deliver = deliver_through(provider)
    with pytest.raises(RetryLater):
        deliver(ID, MESSAGE.lane, lambda: MESSAGE)
    clock.advance(301)
    deliver(ID, MESSAGE.lane, lambda: MESSAGE)
    assert _read(records).state is State.EXPIRED
    assert len(provider.received) == 1


@accepted
def test_a_message_that_was_cancelled_is_not_sent(records: Records, clock: Clock, deliver_through: Through) -> None:
    provider = Provider()
    records.move(ID, State.CANCELLED, at=clock())
    deliver_through(provider)(ID, MESSAGE.lane, lambda: MESSAGE)
    assert provider.received == []
    assert _read(records).state is State.CANCELLED


@accepted
def test_an_attempt_whose_worker_died_is_uncertain_and_not_sent_again(
    records: Records, clock: Clock, deliver_through: Through
) -> None:
    records.move(ID, State.SENDING, at=clock(), fields={"attempts": 1})
    provider = Provider()
    deliver = deliver_through(provider)
    deliver(ID, MESSAGE.lane, lambda: MESSAGE, redelivered=True)
    deliver(ID, MESSAGE.lane, lambda: MESSAGE, redelivered=True)
    known = _read(records)
    assert (known.state, known.reason, known.attempts) == (State.UNCERTAIN, "worker_lost", 1)
    assert provider.received == []


@accepted
def test_a_dead_workers_attempt_is_uncertain_even_when_the_message_is_too_old_by_then(
    records: Records, clock: Clock, deliver_through: Through
) -> None:
    records.move(ID, State.SENDING, at=clock(), fields={"attempts": 1})
    clock.advance(600)
    deliver_through(Provider())(ID, MESSAGE.lane, lambda: MESSAGE, redelivered=True)
    assert _read(records).state is State.UNCERTAIN


@accepted
def test_an_answer_that_comes_after_another_worker_doubted_still_counts(
    records: Records, clock: Clock, deliver_through: Through
) -> None:
    slow = SlowProvider()
    with ThreadPoolExecutor(1) as first:
        sending = first.submit(deliver_through(slow), ID, MESSAGE.lane, lambda: MESSAGE)
        assert slow.called.wait(timeout=10)
        deliver_through(Provider())(ID, MESSAGE.lane, lambda: MESSAGE, redelivered=True)
        assert _read(records).state is State.UNCERTAIN
        slow.let.set()
        sending.result(timeout=10)
    known = _read(records)
    assert (known.state, known.provider_id, known.reason) == (State.SENT, "sms-1", None)


@accepted
def test_eight_workers_with_the_same_task_send_it_once(
    records: Records, clock: Clock, deliver_through: Through
) -> None:
    provider = Provider()
    deliver = deliver_through(provider)
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda _: deliver(ID, MESSAGE.lane, lambda: MESSAGE), range(8)))
    assert len(provider.received) == 1
    assert _read(records).state is State.SENT


def test_a_task_that_another_program_sent_by_name_gets_a_record_of_its_own(
    records: Records, store: redis.Redis, clock: Clock, deliver_through: Through
) -> None:
    provider = Provider()
    deliver_through(provider)(ID, MESSAGE.lane, lambda: MESSAGE)
    known = _read(records)
    assert (known.state, known.message, known.valid_until) == (State.SENT, MESSAGE, clock() + 300_000)
    assert len(provider.received) == 1
    assert store.llen(Queue.OTP) == 0


@accepted
def test_a_code_that_nobody_knows_is_counted_for_operators(records: Records, deliver_through: Through) -> None:
    deliver_through(Provider(Refused("isv.NEW_CODE", Fault.UNKNOWN)))(ID, MESSAGE.lane, lambda: MESSAGE)
    assert _read(records).state is State.FAILED
    assert records.unknown_codes() == {"isv.NEW_CODE": 1}


@accepted
def test_a_task_that_comes_again_and_again_without_coming_to_an_attempt_is_poison(
    records: Records, deliver_through: Through, store: redis.Redis
) -> None:
    store.hset(keys.record(ID), "redelivered", MOST_REDELIVERIES)
    deliver_through(Nobody())(ID, MESSAGE.lane, lambda: MESSAGE, redelivered=True)
    assert (_read(records).state, _read(records).reason) == (State.DEAD, "poison")


def test_a_task_by_name_that_comes_again_and_again_is_poison_too(
    records: Records, deliver_through: Through, store: redis.Redis
) -> None:
    store.set(keys.deliveries(ID), MOST_REDELIVERIES)
    deliver_through(Nobody())(ID, MESSAGE.lane, lambda: MESSAGE, redelivered=True)
    assert _read(records).state is State.DEAD


@accepted
def test_redeliveries_are_counted_from_attempt_to_attempt_and_first_deliveries_not_at_all(
    records: Records, deliver_through: Through
) -> None:
    deliver = deliver_through(Provider(*[Unsent("dns", Fault.PROVIDER)] * 3))
    for _ in range(3):
        with pytest.raises(RetryLater):
            deliver(ID, MESSAGE.lane, lambda: MESSAGE, redelivered=True)
    assert records.begin(ID, Lane.NOTICE, redelivered=False, claim=None).redeliveries == 0
    assert records.begin(ID, Lane.NOTICE, redelivered=True, claim=None).redeliveries == 1


@accepted
def test_a_second_copy_of_a_task_does_not_jump_the_wait_for_the_next_attempt(
    records: Records, schedule: Schedule, deliver_through: Through, clock: Clock
) -> None:
    schedule.until(_read(records), clock() + 60_000)
    deliver_through(Nobody())(ID, MESSAGE.lane, lambda: MESSAGE)
    assert _read(records).state is State.QUEUED


@accepted
def test_a_message_out_of_attempts_whose_failure_was_not_written_down_is_buried(
    records: Records, deliver_through: Through, store: redis.Redis
) -> None:
    store.hset(keys.record(ID), mapping={"attempts": ATTEMPTS, "reason": "dns"})
    deliver_through(Nobody())(ID, MESSAGE.lane, lambda: MESSAGE)
    assert (_read(records).state, _read(records).reason) == (State.DEAD, "dns")


def test_a_task_by_name_with_a_time_to_send_waits_for_it(
    records: Records, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    later = Message.check({**FIELDS, "send_at": datetime.fromtimestamp(clock() / 1000 + 60, UTC)})
    deliver_through(Nobody())(ID, later.lane, lambda: later)
    assert _read(records).state is State.QUEUED
    assert store.zscore(keys.due(Lane.OTP), ID) == clock() + 60_000


def test_a_task_by_name_with_a_time_far_ahead_is_refused(
    records: Records, deliver_through: Through, clock: Clock
) -> None:
    later = Message.check({**FIELDS, "send_at": datetime.fromtimestamp(clock() / 1000 + 40 * 86_400, UTC)})
    with pytest.raises(InvalidMessage, match="send_at"):
        deliver_through(Nobody())(ID, later.lane, lambda: later)
    assert records.read(ID) is None


@accepted
def test_a_second_copy_of_a_task_leaves_the_attempt_of_the_first_alone(
    records: Records, deliver_through: Through, clock: Clock
) -> None:
    records.move(ID, State.SENDING, at=clock(), fields={"attempts": 1})
    deliver_through(Nobody())(ID, MESSAGE.lane, lambda: MESSAGE)
    assert _read(records).state is State.SENDING


@accepted
def test_a_task_that_comes_before_its_time_by_another_hosts_clock_comes_again_at_its_time(
    records: Records, schedule: Schedule, deliver_through: Through, clock: Clock, store: redis.Redis
) -> None:
    schedule.until(_read(records), clock() + 3_000)
    schedule.in_queue(_read(records), since=clock(), slot=Slot(Queue.OTP, "handed over three seconds too early"))
    deliver_through(Nobody())(ID, MESSAGE.lane, lambda: MESSAGE)
    assert store.zscore(keys.due(Lane.OTP), ID) == clock() + 3_000


@accepted
def test_a_worker_that_was_frozen_after_its_claim_does_not_call_the_provider(
    watch: Watch, records: Records, schedule: Schedule, brake: Brake, carry: Carry, clock: Clock
) -> None:
    """Others may hold it for dead by now, and the message for not sent."""
    times = iter([clock(), clock() + LAST_CALL + 1])

    def thawing() -> int:
        return next(times, clock() + LAST_CALL + 1)

    deliver = Deliver(records, schedule, brake, only(Nobody(), watch), replace(carry, now=thawing), now=thawing)
    deliver(ID, MESSAGE.lane, lambda: MESSAGE)
    known = _read(records)
    assert (known.state, known.timeline[-1].detail) == (State.QUEUED, {"reason": "not_tried"})
    assert (known.attempts, known.budget) == (1, ATTEMPTS + 1)


@accepted
def test_a_stale_copy_does_not_expire_what_may_have_been_sent(
    watch: Watch, records: Records, schedule: Schedule, brake: Brake, carry: Carry, clock: Clock
) -> None:
    looks = iter([clock()])

    def meanwhile() -> int:
        if next(looks, None):
            records.move(ID, State.SENDING, at=clock(), fields={"attempts": 1})
            records.move(ID, State.UNCERTAIN, at=clock())
        return clock() + 600_000

    Deliver(records, schedule, brake, only(Nobody(), watch), carry, now=meanwhile)(ID, MESSAGE.lane, lambda: MESSAGE)
    assert _read(records).state is State.UNCERTAIN
