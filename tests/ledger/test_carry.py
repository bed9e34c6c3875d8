"""A message goes on by another channel where one surely did not send it, and never where it may have been sent."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from smsgate.channels.channel import Submission
from smsgate.errors import RetryLater
from smsgate.flow.ask import Ask
from smsgate.flow.brake import Brake
from smsgate.flow.carry import Carry
from smsgate.flow.deliver import Deliver
from smsgate.flow.deliver_chunk import DeliverChunk
from smsgate.flow.patience import ATTEMPTS
from smsgate.flow.submit import Submit
from smsgate.flow.watch import Watch
from smsgate.flow.ways import Network, Way, Ways
from smsgate.ledger import keys
from smsgate.ledger.groups import Groups
from smsgate.ledger.record import Beginning, Claim
from smsgate.ledger.records import Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Lane, Message, MessageId
from smsgate.outcome import Fault, Outcome, Refused, Uncertain, Unsent
from smsgate.phone import Phone
from smsgate.routing.profile import Profile
from smsgate.routing.table import Rule, Strategy
from smsgate.states import State
from smsgate.trace import Known
from tests.ledger.conftest import Clock
from tests.ledger.gathered import gathered, gathering, number, read
from tests.ledger.providers import Nobody, Provider, among

ID = MessageId("m1")
MESSAGE = Message.check({"to": "13800138000", "template": "T", "params": {"code": "987654"}, "lane": "otp"})
DOWN = Unsent("connect_refused", Fault.PROVIDER)
Send = Callable[..., None]


@pytest.fixture
def send(watch: Watch, records: Records, schedule: Schedule, brake: Brake, carry: Carry, clock: Clock) -> Send:
    """Have one message sent by the first of some providers."""

    def through(*providers: Provider) -> None:
        Submit(records, now=clock)(MESSAGE, message_id=ID)
        Deliver(records, schedule, brake, among(watch, *providers), carry, now=clock)(ID, Lane.OTP, lambda: MESSAGE)

    return through


@pytest.mark.parametrize(
    "outcome",
    [
        DOWN,
        Unsent("Throttling.User", Fault.THROTTLED),
        Unsent("isv.BUSINESS_LIMIT_CONTROL", Fault.RECIPIENT, 60.0),
        Refused("isv.AMOUNT_NOT_ENOUGH", Fault.ACCOUNT),
        Refused("SignatureDoesNotMatch", Fault.CREDENTIALS),
        Refused("isv.SMS_TEMPLATE_ILLEGAL", Fault.CONFIGURATION),
    ],
)
def test_what_a_channel_surely_did_not_send_goes_by_the_next_within_the_attempt(
    send: Send, records: Records, outcome: Outcome
) -> None:
    send(Provider(outcome, name="main"), backup := Provider(name="backup"))
    known = read(records, ID)
    assert (known.state, known.channel, known.attempts, len(backup.received)) == (State.SENT, "backup", 1, 1)
    reason = getattr(outcome, "reason", None)
    assert [event.detail for event in known.timeline[1:3]] == [
        {"attempt": 1, "channel": "main"},
        {"attempt": 1, "channel": "backup", "after": reason},
    ]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Uncertain("read_timeout"), State.UNCERTAIN),
        (Refused("isv.MOBILE_NUMBER_ILLEGAL", Fault.MESSAGE), State.FAILED),
        (Refused("isv.TEMPLATE_MISSING_PARAMETERS", Fault.VARIABLES), State.FAILED),
        (Refused("isv.NEVER_HEARD_OF", Fault.UNKNOWN), State.FAILED),
    ],
)
def test_what_may_have_been_sent_or_is_the_messages_own_fault_goes_nowhere_else(
    send: Send, records: Records, outcome: Outcome, state: State
) -> None:
    send(Provider(outcome, name="main"), Nobody(name="backup"))
    known = read(records, ID)
    assert (known.state, known.channel) == (state, "main")


def test_where_all_channels_fail_the_message_comes_again_as_soon_as_one_of_them_may_take_it(
    send: Send, records: Records
) -> None:
    limited = Unsent("isv.BUSINESS_LIMIT_CONTROL", Fault.RECIPIENT, 60.0)
    with pytest.raises(RetryLater) as later:
        send(Provider(limited, name="main"), Provider(Unsent("dns", Fault.PROVIDER, 3.0), name="backup"))
    assert (later.value.reason, later.value.wait, later.value.used) == ("dns", 3.0, 1)
    assert read(records, ID).state is State.QUEUED


def test_a_refusal_of_one_does_not_bury_what_another_may_send_later(send: Send, records: Records) -> None:
    refused = Refused("isv.AMOUNT_NOT_ENOUGH", Fault.ACCOUNT)
    with pytest.raises(RetryLater):
        send(Provider(refused, name="main"), Provider(DOWN, name="backup"))
    assert read(records, ID).state is State.QUEUED


def test_where_all_channels_refuse_the_first_ones_reason_is_told(send: Send, records: Records) -> None:
    refusals = Refused("isv.AMOUNT_NOT_ENOUGH", Fault.ACCOUNT), Refused("isv.SMS_SIGN_ILLEGAL", Fault.CONFIGURATION)
    send(*(Provider(refusal, name=f"c{place}") for place, refusal in enumerate(refusals)))
    known = read(records, ID)
    assert (known.state, known.reason, known.channel) == (State.DEAD, "isv.AMOUNT_NOT_ENOUGH", "c1")


def test_an_attempt_that_is_in_other_hands_by_then_is_not_sent_by_another_channel(
    send: Send, records: Records, clock: Clock
) -> None:
    """Its worker was frozen in the first call, and others took the message for uncertain."""

    class Frozen(Provider):
        def send(self, submission: Submission) -> Outcome:
            records.move(submission.id, State.UNCERTAIN, at=clock())
            return DOWN

    send(Frozen(name="main"), Nobody(name="backup"))
    assert read(records, ID).state is State.UNCERTAIN


def test_no_other_channel_is_called_when_the_attempt_has_taken_too_long(
    send: Send, records: Records, clock: Clock
) -> None:
    class Slow(Provider):
        def send(self, submission: Submission) -> Outcome:
            clock.advance(11)
            return super().send(submission)

    with pytest.raises(RetryLater, match="connect_refused"):
        send(Slow(DOWN, name="main"), Nobody(name="backup"))


def test_the_channel_that_was_called_last_is_asked(
    watch: Watch, send: Send, records: Records, schedule: Schedule, clock: Clock
) -> None:
    main, backup = Provider(DOWN, name="main"), Provider(Uncertain("read_timeout"), name="backup")
    send(main, backup)
    backup.knows = [Known(None)]
    Ask(records, schedule, among(watch, main, backup), watch, now=clock)(ID)
    assert (len(main.asked), len(backup.asked), read(records, ID).state) == (0, 1, State.SENT)


def test_a_chunk_that_one_channel_cannot_take_goes_whole_by_the_next(
    watch: Watch, store: redis.Redis, records: Records, brake: Brake, carry: Carry, clock: Clock
) -> None:
    groups = Groups(store)
    ids = gathered(Submit(records, gathering(groups), now=clock), 100)
    ways = among(watch, Provider(DOWN, name="main"), backup := Provider(name="backup"))
    DeliverChunk(records, groups, brake, ways, carry, now=clock)(Lane.BULK)
    ((chunk, sent),) = backup.chunks
    assert sorted(sent) == sorted(ids)
    known = read(records, "m7")
    assert (known.state, known.channel, set(known.chunks)) == (State.SENT, "backup", {chunk})


def test_of_a_chunk_only_what_was_refused_goes_on_and_one_by_one_where_a_channel_takes_no_more(
    watch: Watch, store: redis.Redis, records: Records, brake: Brake, carry: Carry, clock: Clock
) -> None:
    groups = Groups(store)
    gathered(Submit(records, gathering(groups), now=clock), 100)
    main, backup = Provider(name="main"), Provider(name="backup")
    backup.most_together = 1
    limited = [Phone(f"+86{number(place)}") for place in (3, 50)]
    main.refused = dict.fromkeys(limited, Unsent("isv.BUSINESS_LIMIT_CONTROL", Fault.RECIPIENT, 60.0))
    DeliverChunk(records, groups, brake, among(watch, main, backup), carry, now=clock)(Lane.BULK)
    assert sorted(one.phone for one in backup.received) == limited
    assert backup.chunks == []
    assert {read(records, f"m{place}").state for place in range(100)} == {State.SENT}


def _paced(watch: Watch, *rates: tuple[Provider, float]) -> Ways:
    """Give channels a rate each, and the first of them priority."""
    ways = [Way(one, Profile(name=one.name, provider="told", sign="短信网关", rate=rate)) for one, rate in rates]
    names = tuple(way.name for way in ways)
    return Ways(Network.of(ways, [Rule(channels=names, strategy=Strategy.PRIORITY, alternate=False)]), watch)


def test_a_code_does_not_wait_for_a_slot_while_another_channel_has_one(
    watch: Watch, records: Records, schedule: Schedule, brake: Brake, carry: Carry, clock: Clock
) -> None:
    slept: list[float] = []
    carry = replace(carry, sleep=slept.append)
    main, backup = Provider(name="main"), Provider(name="backup")
    deliver = Deliver(records, schedule, brake, _paced(watch, (main, 1.0), (backup, 100.0)), carry, now=clock)
    for place in range(4):
        one = Submit(records, now=clock)(MESSAGE, message_id=f"m{place}").id
        deliver(one, Lane.OTP, lambda: MESSAGE)
    assert (len(main.received), len(backup.received)) == (1, 3)
    assert sum(slept) < 0.2


def test_where_no_channel_has_a_slot_a_code_waits_for_one_and_then_in_turn_with_those_of_other_clients(
    watch: Watch, records: Records, schedule: Schedule, brake: Brake, carry: Carry, clock: Clock, store: redis.Redis
) -> None:
    slept: list[float] = []
    carry = replace(carry, sleep=slept.append)
    main, backup = Provider(name="main"), Provider(name="backup")
    deliver = Deliver(records, schedule, brake, _paced(watch, (main, 1.0), (backup, 1.0)), carry, now=clock)
    for place in range(8):
        one = Submit(records, now=clock)(MESSAGE, client="shop", message_id=f"m{place}").id
        deliver(one, Lane.OTP, lambda: MESSAGE)
    sent = len(main.received) + len(backup.received)
    assert 4 <= sent < 8
    assert 0.5 < max(slept) <= 2.0
    held = [read(records, f"m{place}") for place in range(8) if read(records, f"m{place}").state is State.QUEUED]
    assert len(held) == 8 - sent
    assert {(one.reason, one.budget) for one in held} == {(None, ATTEMPTS + 1)}
    (group,) = store.zrange(keys.groups(Lane.OTP), 0, -1)
    assert (group.endswith("|shop"), store.llen(keys.group(Lane.OTP, group))) == (True, len(held))


def test_who_asks_for_another_code_gets_it_by_another_channel(records: Records, clock: Clock) -> None:
    phone = MESSAGE.to
    channels = []
    for place in range(4):
        one = Submit(records, now=clock)(MESSAGE, message_id=f"again-{place}").id
        claim = Claim(clock(), clock(), clock() + 60_000, ("main", "backup", "third"), 5, 5, turns=phone)
        begun = records.begin(one, Lane.OTP, redelivered=False, claim=claim)
        assert begun.beginning is Beginning.CLAIMED
        channels.append(begun.channel)
        assert read(records, one).channel == begun.channel
    assert channels == ["main", "backup", "third", "main"]
