"""Clients and templates that are paused: their messages are accepted and held, others go, and all go when resumed."""

import time
from collections.abc import Callable

import pytest
import redis

from smsgate.channels.channel import Channel
from smsgate.errors import InvalidMessage
from smsgate.flow.brake import Brake
from smsgate.flow.cancel import cancel
from smsgate.flow.carry import Carry
from smsgate.flow.deliver import Deliver
from smsgate.flow.deliver_chunk import DeliverChunk
from smsgate.flow.pausing import Pausing, What
from smsgate.flow.return_aside import ReturnAside
from smsgate.flow.submit import Submit
from smsgate.flow.submit_batch import SubmitBatch
from smsgate.flow.wake import Wake
from smsgate.flow.watch import Watch
from smsgate.flow.ways import Ways
from smsgate.flow.write_rows import given
from smsgate.ledger import keys
from smsgate.ledger.aside import Aside
from smsgate.ledger.batches import Batches
from smsgate.ledger.channel_standings import ChannelStandings
from smsgate.ledger.groups import Groups
from smsgate.ledger.lanes import By, Lanes
from smsgate.ledger.pauses import Kind, Pauses, Subject
from smsgate.ledger.records import Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Common, Lane, Message, MessageId
from smsgate.queues import Queue
from smsgate.states import State
from tests.ledger.conftest import Clock
from tests.ledger.gathered import gathered, gathering, number, read
from tests.ledger.providers import Nobody, Provider, only

CODE = Message.check({"to": "13800138000", "template": "T", "lane": "otp"})
OTHER = Message.check({"to": "13800138000", "template": "U", "lane": "otp"})


@pytest.fixture
def pausing(store: redis.Redis, clock: Clock) -> Pausing:
    return Pausing(Lanes(store), Pauses(store), ChannelStandings(store), clock)


@pytest.fixture
def groups(store: redis.Redis) -> Groups:
    return Groups(store)


@pytest.fixture
def returns(records: Records, schedule: Schedule, groups: Groups, store: redis.Redis, clock: Clock) -> ReturnAside:
    return ReturnAside(records, schedule, groups, Aside(store, Pauses(store)), clock)


@pytest.fixture
def deliver(
    records: Records, schedule: Schedule, brake: Brake, carry: Carry, watch: Watch, store: redis.Redis, clock: Clock
) -> Callable[[Channel], Deliver]:
    """Build a worker's step that has not read the pauses yet."""

    def build(channel: Channel) -> Deliver:
        ways: Ways = only(channel, watch)
        aside = Aside(store, Pauses(store))
        return Deliver(records, schedule, brake, ways, carry, now=clock, aside=aside)

    return build


@pytest.fixture
def deliver_chunk(
    records: Records, groups: Groups, brake: Brake, carry: Carry, watch: Watch, clock: Clock
) -> "_Chunks":
    provider = Provider()
    return _Chunks(DeliverChunk(records, groups, brake, only(provider, watch), carry, now=clock), provider)


class _Chunks:
    def __init__(self, deliver: DeliverChunk, provider: Provider) -> None:
        self.deliver, self.provider = deliver, provider

    def __call__(self, lane: Lane = Lane.BULK) -> int:
        return self.deliver(lane)


def _accept(records: Records, clock: Clock, message: Message, name: str, client: str = "") -> MessageId:
    return Submit(records, now=clock)(message, message_id=name, client=client).id


@pytest.mark.parametrize(("what", "name"), [(What.TEMPLATE, "T"), (What.CLIENT, "shop")])
def test_a_paused_message_is_held_unharmed_and_goes_when_resumed(
    records: Records,
    pausing: Pausing,
    returns: ReturnAside,
    deliver: Callable[[Channel], Deliver],
    clock: Clock,
    store: redis.Redis,
    what: What,
    name: str,
) -> None:
    held = _accept(records, clock, CODE, "m1", "shop")
    goes = _accept(records, clock, OTHER, "m2", "bank")
    pausing.pause(what, name, "wild")
    store.delete(Queue.OTP)
    deliver(Nobody())(held, Lane.OTP, lambda: CODE)
    deliver(provider := Provider())(goes, Lane.OTP, lambda: OTHER)
    assert [one.id for one in provider.received] == ["m2"]
    assert (read(records, held).state, read(records, held).attempts) == (State.QUEUED, 0)
    assert store.zscore(keys.due(Lane.OTP), held) == read(records, held).valid_until
    assert store.zcard(keys.waiting(Lane.OTP)) == 0

    assert returns() == 0
    assert store.llen(Queue.OTP) == 0
    assert pausing.resume(what, name)
    assert returns() == 1
    assert store.llen(Queue.OTP) == 1
    deliver(provider)(held, Lane.OTP, lambda: CODE)
    assert read(records, held).state is State.SENT
    assert returns() == 0
    assert store.keys("sms:aside*") == []


def test_what_is_paused_twice_waits_for_both(
    records: Records,
    pausing: Pausing,
    returns: ReturnAside,
    deliver: Callable[[Channel], Deliver],
    clock: Clock,
) -> None:
    held = _accept(records, clock, CODE, "m1", "shop")
    pausing.pause(What.TEMPLATE, "T", "")
    pausing.pause(What.CLIENT, "shop", "")
    deliver(Nobody())(held, Lane.OTP, lambda: CODE)
    pausing.resume(What.TEMPLATE, "T")
    assert returns() == 1
    deliver(Nobody())(held, Lane.OTP, lambda: CODE)
    assert returns() == 0
    pausing.resume(What.CLIENT, "shop")
    assert returns() == 1


def test_a_held_message_expires_and_can_be_cancelled(
    records: Records,
    schedule: Schedule,
    pausing: Pausing,
    returns: ReturnAside,
    deliver: Callable[[Channel], Deliver],
    clock: Clock,
    store: redis.Redis,
) -> None:
    ids = [_accept(records, clock, CODE, name) for name in ("m1", "m2")]
    pausing.pause(What.TEMPLATE, "T", "")
    for one in ids:
        deliver(Nobody())(one, Lane.OTP, lambda: CODE)
    cancel(records, ids[1])
    clock.advance(301)
    Wake(records, schedule, now=clock)()
    assert [read(records, one).state for one in ids] == [State.EXPIRED, State.CANCELLED]
    returns()
    assert store.zcard(keys.aside("template:T")) == 0


def test_what_ended_while_it_was_held_is_not_queued_again(
    records: Records,
    pausing: Pausing,
    returns: ReturnAside,
    deliver: Callable[[Channel], Deliver],
    clock: Clock,
    store: redis.Redis,
) -> None:
    held = _accept(records, clock, CODE, "m1")
    pausing.pause(What.TEMPLATE, "T", "")
    deliver(Nobody())(held, Lane.OTP, lambda: CODE)
    store.delete(Queue.OTP)
    cancel(records, held)
    pausing.resume(What.TEMPLATE, "T")
    returns()
    assert store.llen(Queue.OTP) == 0
    assert store.exists(keys.aside("template:T")) == 0


def test_a_group_of_a_paused_template_is_skipped_and_not_looked_at_again(
    records: Records,
    groups: Groups,
    pausing: Pausing,
    returns: ReturnAside,
    deliver_chunk: _Chunks,
    clock: Clock,
    store: redis.Redis,
) -> None:
    submit = Submit(records, gathering(groups), now=clock)
    held = gathered(submit, 100)
    goes = gathered(submit, 100, first=100, template="U")
    pausing.pause(What.TEMPLATE, "T", "wild")
    assert [deliver_chunk(), deliver_chunk()] == [100, 0]
    assert {read(records, one).state for one in goes} == {State.SENT}
    assert {(read(records, one).state, read(records, one).attempts) for one in held} == {(State.QUEUED, 0)}
    assert store.zcard(keys.groups(Lane.BULK)) == 0

    gathered(submit, 100, first=200)
    store.delete(Queue.BULK)
    assert groups.fill(Lane.BULK, clock()) == 0
    assert store.zcard(keys.groups(Lane.BULK)) == 0
    returns()
    assert deliver_chunk() == 0
    pausing.resume(What.TEMPLATE, "T")
    returns()
    assert groups.fill(Lane.BULK, clock()) == 2
    assert [deliver_chunk(), deliver_chunk()] == [100, 100]


@pytest.mark.parametrize("sign", ["Sign", "a|b"])
def test_a_group_of_a_paused_client_is_skipped(
    records: Records,
    groups: Groups,
    pausing: Pausing,
    returns: ReturnAside,
    deliver_chunk: _Chunks,
    clock: Clock,
    sign: str,
) -> None:
    submit = Submit(records, gathering(groups), now=clock)
    gathered(submit, 100, client="shop", sign=sign)
    gathered(submit, 100, first=100, client="bank", sign=sign)
    pausing.pause(What.CLIENT, "shop", "")
    assert [deliver_chunk(), deliver_chunk()] == [100, 0]
    assert deliver_chunk.provider.chunks[0][1][0] >= "m100"
    pausing.resume(What.CLIENT, "shop")
    returns()
    assert deliver_chunk() == 100


@pytest.mark.parametrize(("what", "name"), [(What.TEMPLATE, "T"), (What.CLIENT, "shop")])
def test_rows_of_a_batch_are_held_by_its_template_and_its_client(
    records: Records,
    groups: Groups,
    pausing: Pausing,
    returns: ReturnAside,
    deliver_chunk: _Chunks,
    clock: Clock,
    store: redis.Redis,
    what: What,
    name: str,
) -> None:
    rows = [given(place, {"to": number(place)}) for place in range(100)]
    pausing.pause(what, name, "")
    common = Common.check({"template": "T", "lane": "bulk"})
    upload = SubmitBatch(records, Batches(store), groups, clock)(common, rows, client="shop")
    clock.advance(2)
    assert deliver_chunk() == 0
    assert upload.accepted == 100
    pausing.resume(what, name)
    returns()
    assert deliver_chunk() == 100


def test_many_groups_that_stay_held_do_not_hide_those_that_may_go(
    records: Records,
    groups: Groups,
    pausing: Pausing,
    returns: ReturnAside,
    deliver_chunk: _Chunks,
    clock: Clock,
    store: redis.Redis,
) -> None:
    submit = Submit(records, gathering(groups), now=clock)
    pausing.pause(What.CLIENT, "shop", "")
    pausing.pause(What.CLIENT, "bank", "")
    store.zadd(keys.groups_aside(Lane.BULK), {f"|100|2000|T{place}|S|shop": 0 for place in range(700)})
    gathered(submit, 100, client="bank")
    assert deliver_chunk() == 0
    pausing.resume(What.CLIENT, "bank")
    for _ in range(2):
        clock.advance(1)
        returns()
    assert deliver_chunk() == 100


def test_without_pauses_a_message_costs_no_command_more(
    records: Records, deliver: Callable[[Channel], Deliver], clock: Clock, store: redis.Redis
) -> None:
    step = deliver(Provider())
    for place in range(20):
        step(_accept(records, clock, CODE, f"m{place}"), Lane.OTP, lambda: CODE)
    assert store.info("commandstats")["cmdstat_hgetall"]["calls"] >= 20  # each record is read once
    before = store.info("commandstats")["cmdstat_evalsha"]["calls"]
    step(_accept(records, clock, CODE, "last"), Lane.OTP, lambda: CODE)
    assert store.info("commandstats")["cmdstat_evalsha"]["calls"] - before <= 5


def test_all_that_is_paused_is_listed(pausing: Pausing, clock: Clock) -> None:
    pausing.pause(What.LANE, "bulk", "maintenance")
    pausing.pause(What.CLIENT, "shop", "wild")
    pausing.pause(What.TEMPLATE, "SMS_9", "a slip")
    pausing.pause(What.CHANNEL, "main", "no money")
    listed = [(one.what, one.name, one.pause.by, one.pause.reason, one.pause.at) for one in pausing.all()]
    assert listed == [
        (What.LANE, "bulk", By.HAND, "maintenance", clock()),
        (What.CLIENT, "shop", By.HAND, "wild", clock()),
        (What.TEMPLATE, "SMS_9", By.HAND, "a slip", clock()),
        (What.CHANNEL, "main", By.HAND, "no money", clock()),
    ]
    assert pausing.channels.read() == {"main": "paused"}
    assert [pausing.resume(one.what, one.name) for one in pausing.all()] == [True] * 4
    assert [pausing.resume(What.CLIENT, "shop"), pausing.all()] == [False, []]


@pytest.mark.parametrize(
    ("what", "name"), [(What.LANE, "otps"), (What.CLIENT, "a b"), (What.TEMPLATE, "T|U"), (What.CHANNEL, "Main")]
)
def test_a_name_that_can_be_none_is_refused(pausing: Pausing, what: What, name: str) -> None:
    with pytest.raises(InvalidMessage, match="name: must be"):
        pausing.pause(what, name, "")


def test_a_worker_learns_of_a_pause_within_a_second(store: redis.Redis, pausing: Pausing) -> None:
    seen = Pauses(store)
    assert seen.lately() == {}
    pausing.pause(What.TEMPLATE, "T", "")
    time.sleep(1.05)
    assert list(seen.lately()) == [Subject(Kind.TEMPLATE, "T")]
