"""A chunk on its way to the provider: one call, and each message has its own end."""

from collections import Counter

import pytest
import redis

from smsgate.channels.channel import Submission
from smsgate.flow.brake import Brake
from smsgate.flow.carry import Carry
from smsgate.flow.deliver_chunk import DeliverChunk
from smsgate.flow.patience import ATTEMPTS
from smsgate.flow.stage import LAST_CALL
from smsgate.flow.submit import Submit
from smsgate.flow.wake import Wake
from smsgate.flow.watch import Watch
from smsgate.ledger import keys
from smsgate.ledger.groups import Groups
from smsgate.ledger.lanes import By, Lanes, Pause
from smsgate.ledger.records import Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Lane, MessageId
from smsgate.outcome import Fault, Outcome, Refused, Sent, Uncertain, Unsent
from smsgate.phone import Phone
from smsgate.states import State
from tests.ledger.conftest import Clock
from tests.ledger.gathered import gathered, gathering, number, read
from tests.ledger.providers import Provider, only


@pytest.fixture
def groups(store: redis.Redis) -> Groups:
    return Groups(store)


@pytest.fixture
def submit(records: Records, groups: Groups, clock: Clock) -> Submit:
    return Submit(records, gathering(groups), now=clock)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def deliver(
    watch: Watch, records: Records, groups: Groups, brake: Brake, carry: Carry, provider: Provider, clock: Clock
) -> DeliverChunk:
    return DeliverChunk(records, groups, brake, only(provider, watch), carry, now=clock)


def _states(records: Records, ids: list[MessageId]) -> Counter[State]:
    return Counter(read(records, one).state for one in ids)


def test_a_hundred_messages_leave_in_one_call_and_each_is_sent(
    submit: Submit, deliver: DeliverChunk, provider: Provider, records: Records
) -> None:
    ids = gathered(submit, 100)
    assert deliver(Lane.BULK) == 100
    ((chunk, sent),) = provider.chunks
    assert sorted(sent) == sorted(ids)
    known = read(records, "m7")
    assert (known.state, known.provider_id, known.chunks) == (State.SENT, "chunk-1", (chunk,))
    assert [event.state for event in known.timeline] == [State.QUEUED, State.SENDING, State.SENT]
    assert _states(records, ids) == {State.SENT: 100}


def test_one_alone_leaves_under_its_own_id(
    submit: Submit, deliver: DeliverChunk, provider: Provider, clock: Clock
) -> None:
    gathered(submit, 1)
    clock.advance(2)
    deliver(Lane.BULK)
    assert ([one.id for one in provider.received], provider.chunks) == (["m0"], [])


def test_a_message_that_is_refused_fails_alone(
    submit: Submit, deliver: DeliverChunk, provider: Provider, records: Records
) -> None:
    ids = gathered(submit, 100)
    provider.refused = {Phone(f"+86{number(4)}"): Refused("isv.MOBILE_NUMBER_ILLEGAL", Fault.MESSAGE)}
    deliver(Lane.BULK)
    assert _states(records, ids) == {State.SENT: 99, State.FAILED: 1}
    assert read(records, "m4").reason == "isv.MOBILE_NUMBER_ILLEGAL"


def test_a_number_at_its_limit_waits_alone(
    submit: Submit, deliver: DeliverChunk, provider: Provider, records: Records, clock: Clock
) -> None:
    ids = gathered(submit, 50)
    clock.advance(2)
    provider.refused = {Phone(f"+86{number(9)}"): Unsent("isv.BUSINESS_LIMIT_CONTROL", Fault.RECIPIENT, 60.0)}
    deliver(Lane.BULK)
    assert _states(records, ids) == {State.SENT: 49, State.QUEUED: 1}
    assert read(records, "m9").not_before == clock() + 60_000


def test_a_template_that_does_not_exist_makes_dead_letters_of_all(
    submit: Submit, deliver: DeliverChunk, provider: Provider, records: Records
) -> None:
    ids = gathered(submit, 100)
    illegal = Refused("isv.SMS_TEMPLATE_ILLEGAL", Fault.CONFIGURATION)
    provider.refused = {Phone(f"+86{number(place)}"): illegal for place in range(100)}
    deliver(Lane.BULK)
    assert _states(records, ids) == {State.DEAD: 100}
    assert len(provider.chunks) + len(provider.received) == 4


def test_a_variable_that_is_missing_is_found_out_by_one_message_for_all_that_bring_the_same(
    submit: Submit, deliver: DeliverChunk, provider: Provider, records: Records
) -> None:
    provider.needed = frozenset({"name"})
    wrong = gathered(submit, 60, params={"nmae": "王"})
    right = gathered(submit, 40, first=60, params={"name": "王"})
    deliver(Lane.BULK)
    assert _states(records, wrong) == {State.FAILED: 60}
    assert {read(records, one).reason for one in wrong} == {"isv.TEMPLATE_MISSING_PARAMETERS"}
    assert _states(records, right) == {State.SENT: 40}
    assert len(provider.chunks) + len(provider.received) <= 12


def test_a_throttled_chunk_is_tried_again_after_a_pause_and_dead_in_the_end(
    submit: Submit,
    deliver: DeliverChunk,
    provider: Provider,
    records: Records,
    schedule: Schedule,
    clock: Clock,
) -> None:
    ids = gathered(submit, 3)
    provider.answers = [Unsent("Throttling.User", Fault.THROTTLED)] * ATTEMPTS
    for attempt in range(1, ATTEMPTS + 1):
        clock.advance(2)
        deliver(Lane.BULK)
        assert {read(records, one).attempts for one in ids} == {attempt}
        clock.advance(2 ** (attempt - 1))
        Wake(records, schedule, now=clock)()
    assert _states(records, ids) == {State.DEAD: 3}
    assert {read(records, one).reason for one in ids} == {"Throttling.User"}
    assert len(provider.chunks) == ATTEMPTS


def test_a_lane_whose_chunks_die_of_a_provider_that_is_away_is_braked(
    submit: Submit, deliver: DeliverChunk, provider: Provider, store: redis.Redis, lanes: Lanes, clock: Clock
) -> None:
    ids = gathered(submit, 3)
    for one in ids:
        store.hset(keys.record(one), "attempts", ATTEMPTS - 1)
    provider.answers = [Unsent("connect_failed", Fault.PROVIDER)]
    clock.advance(2)
    deliver(Lane.BULK)
    assert lanes.pause_of(Lane.BULK) is not None


@pytest.mark.parametrize("answer", [Uncertain("read_timeout"), RuntimeError("13800138000")])
def test_a_chunk_that_may_have_been_sent_is_asked_about_and_not_sent_again(
    submit: Submit,
    deliver: DeliverChunk,
    provider: Provider,
    records: Records,
    clock: Clock,
    store: redis.Redis,
    answer: Outcome | Exception,
) -> None:
    ids = gathered(submit, 5)
    clock.advance(2)
    provider.answers = [answer]
    deliver(Lane.BULK)
    clock.advance(10)
    deliver(Lane.BULK)
    assert _states(records, ids) == {State.UNCERTAIN: 5}
    assert store.zcard(keys.UNCERTAIN) == 5
    assert len(provider.chunks) == 1


def test_what_is_refused_by_the_dozen_is_put_back_when_the_time_is_up_and_loses_no_attempt(
    watch: Watch, submit: Submit, records: Records, groups: Groups, brake: Brake, carry: Carry, clock: Clock
) -> None:
    class Slow(Provider):
        def send_chunk(self, chunk_id: str, submissions: list[Submission]) -> Outcome:  # type: ignore[override]
            clock.advance(4)
            return super().send_chunk(chunk_id, submissions)

    provider = Slow()
    ids = gathered(submit, 100)
    provider.refused = {Phone(f"+86{number(place)}"): Refused("bad", Fault.MESSAGE) for place in range(0, 100, 9)}
    DeliverChunk(records, groups, brake, only(provider, watch), carry, now=clock)(Lane.BULK)
    assert len(provider.chunks) == LAST_CALL // 4000 + 1
    waiting = [read(records, one) for one in ids if read(records, one).state is State.QUEUED]
    assert waiting
    assert {record.budget for record in waiting} == {ATTEMPTS + 1}
    assert {record.timeline[-1].detail["reason"] for record in waiting} == {"not_tried"}


def test_a_lane_paused_by_hand_sends_nothing(
    submit: Submit, deliver: DeliverChunk, provider: Provider, lanes: Lanes, records: Records, clock: Clock
) -> None:
    ids = gathered(submit, 100)
    lanes.pause(Lane.BULK, Pause(By.HAND, "", clock()))
    assert deliver(Lane.BULK) == 0
    lanes.resume(Lane.BULK)
    assert deliver(Lane.BULK) == 100
    assert _states(records, ids) == {State.SENT: 100}


def test_a_braked_lane_is_probed_with_one_message_and_released_by_it(
    submit: Submit, deliver: DeliverChunk, provider: Provider, lanes: Lanes, clock: Clock
) -> None:
    gathered(submit, 100)
    lanes.pause(Lane.BULK, Pause(By.BRAKE, "", clock()))
    assert deliver(Lane.BULK) == 0
    clock.advance(30)
    assert deliver(Lane.BULK) == 1
    assert lanes.pause_of(Lane.BULK) is None
    clock.advance(2)
    assert deliver(Lane.BULK) == 99


def test_rows_of_a_cancelled_batch_and_what_is_too_old_end_without_a_call(
    submit: Submit, deliver: DeliverChunk, provider: Provider, records: Records, clock: Clock
) -> None:
    gathered(submit, 2, valid_for=1)
    clock.advance(2)
    assert deliver(Lane.BULK) == 0
    assert _states(records, [MessageId("m0"), MessageId("m1")]) == {State.EXPIRED: 2}
    assert (provider.chunks, provider.received) == ([], [])


def test_what_a_dead_worker_claimed_becomes_uncertain_by_its_lease(
    watch: Watch,
    submit: Submit,
    groups: Groups,
    records: Records,
    schedule: Schedule,
    brake: Brake,
    carry: Carry,
    clock: Clock,
) -> None:
    class Killed(BaseException):
        """The process ends here."""

    class Deadly(Provider):
        def send_chunk(self, *_chunk: object) -> Outcome:  # type: ignore[override]
            raise Killed

    ids = gathered(submit, 100)
    with pytest.raises(Killed):
        DeliverChunk(records, groups, brake, only(Deadly(), watch), carry, now=clock)(Lane.BULK)
    assert _states(records, ids) == {State.SENDING: 100}
    clock.advance(60)
    Wake(records, schedule, now=clock)()
    assert _states(records, ids) == {State.UNCERTAIN: 100}


def test_late_truth_of_a_chunk_counts_though_its_attempt_is_not_the_latest(
    watch: Watch,
    submit: Submit,
    records: Records,
    groups: Groups,
    brake: Brake,
    carry: Carry,
    schedule: Schedule,
    clock: Clock,
) -> None:
    """A worker frozen in its call comes back when others have taken the messages for uncertain."""

    class Frozen(Provider):
        def send_chunk(self, *_chunk: object) -> Outcome:  # type: ignore[override]
            clock.advance(61)
            Wake(records, schedule, now=clock)()
            return Sent("late")

    ids = gathered(submit, 100)
    DeliverChunk(records, groups, brake, only(Frozen(), watch), carry, now=clock)(Lane.BULK)
    assert _states(records, ids) == {State.SENT: 100}
