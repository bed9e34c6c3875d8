"""What is uncertain is asked, not guessed; what is silent is asked, and given up in the end."""

import json

import pytest
import redis
from structlog.testing import capture_logs

from smsgate.channels.channel import Inquiry
from smsgate.flow.ask import Ask
from smsgate.flow.patience import ATTEMPTS, ENOUGH_ASKED, Patience
from smsgate.flow.settle import WORKER_LOST
from smsgate.flow.submit import draft
from smsgate.flow.watch import Watch
from smsgate.ledger import keys
from smsgate.ledger.records import Event, Record, Records
from smsgate.ledger.schedule import Schedule
from smsgate.message import Lane, Message, MessageId
from smsgate.outcome import Fault
from smsgate.queues import Queue
from smsgate.receipt import Receipt
from smsgate.states import State
from smsgate.trace import Known, NoAnswer, Trace, Unknown
from tests.ledger.conftest import Clock
from tests.ledger.providers import Provider, only
from tests.ledger.ways import brought_to

ID = MessageId("m1")
GOOD = {"to": "13800138000", "template": "T", "params": {"code": "1"}, "lane": "otp"}
MESSAGE = Message.check(GOOD)
PATIENCE = Patience()
DELIVERED = Receipt(ID, "", MESSAGE.to, delivered=True, code="DELIVERED", reason=None, reported_at=5, segments=1)
FAILED = Receipt(ID, "", MESSAGE.to, delivered=False, code="MK:1", reason="handset", reported_at=5, segments=None)
SILENT = NoAnswer("read_timeout", Fault.PROVIDER)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def ask(watch: Watch, records: Records, schedule: Schedule, provider: Provider, clock: Clock) -> Ask:
    return Ask(records, schedule, only(provider, watch), watch, PATIENCE, clock)


def _uncertain(records: Records, clock: Clock, state: State = State.UNCERTAIN, **more: object) -> Record:
    record = draft(Message.check({**GOOD, **more}), ID, client="", at=clock())
    return brought_to(records, record, state, due=PATIENCE.next_question(clock(), 0))


def _read(records: Records) -> Record:
    known = records.read(ID)
    assert known is not None
    return known


def _due(store: redis.Redis) -> float | None:
    found = [store.zscore(index, ID) for index in (keys.UNCERTAIN, keys.SILENT)]
    return next((score for score in found if score is not None), None)


def test_a_provider_that_has_the_message_settles_it_as_sent_and_its_receipt_is_awaited(
    records: Records, ask: Ask, provider: Provider, clock: Clock, store: redis.Redis
) -> None:
    _uncertain(records, clock)
    provider.knows = [Known(None)]
    ask(ID)
    known = _read(records)
    assert (known.state, known.reason) == (State.SENT, None)
    assert known.timeline[-1] == Event(clock(), State.SENT, {"channel": "provider", "asked": True})
    assert _due(store) == PATIENCE.receipt_due(clock())
    assert provider.asked == [Inquiry(ID, MESSAGE.to, clock(), clock())]


@pytest.mark.parametrize("state", [State.UNCERTAIN, State.SENT])
@pytest.mark.parametrize(("receipt", "end"), [(DELIVERED, State.DELIVERED), (FAILED, State.UNDELIVERED)])
def test_a_verdict_that_is_asked_for_counts_like_one_that_is_pushed(
    records: Records, ask: Ask, provider: Provider, clock: Clock, state: State, receipt: Receipt, end: State
) -> None:
    _uncertain(records, clock, state)
    provider.knows = [Known(receipt)]
    ask(ID)
    known = _read(records)
    assert (known.state, known.reason) == (end, receipt.reason)
    assert known.timeline[-1].detail["code"] == receipt.code


def test_a_message_that_the_provider_does_not_know_waits_until_it_would_know(
    records: Records, ask: Ask, provider: Provider, clock: Clock, store: redis.Redis
) -> None:
    began = clock()
    _uncertain(records, clock)
    asked = 0
    while (due := _due(store)) is not None and clock() < PATIENCE.settled_at(began):
        clock.at = max(clock(), int(due))
        provider.knows = [Unknown()]
        if clock() < PATIENCE.settled_at(began):
            ask(ID)
            asked += 1
            assert _read(records).state is State.UNCERTAIN
    assert asked >= 2
    assert clock() == PATIENCE.settled_at(began), "it is asked at the very moment from which the answer decides"
    ask(ID)
    assert _read(records).state is State.QUEUED


def test_a_message_that_was_not_sent_goes_again_with_a_task_of_its_own(
    records: Records, ask: Ask, provider: Provider, clock: Clock, store: redis.Redis
) -> None:
    _uncertain(records, clock)
    clock.advance(PATIENCE.settling)
    provider.knows = [Unknown()]
    ask(ID)
    known = _read(records)
    assert (known.state, known.reason, known.attempts) == (State.QUEUED, "unknown_to_provider", 1)
    (entry,) = store.lrange(Queue.OTP, 0, -1)
    assert json.loads(entry)["headers"]["id"] == ID
    assert _due(store) is None
    assert (store.zscore(keys.due(Lane.OTP), ID), store.zscore(keys.waiting(Lane.OTP), ID)) == (
        known.valid_until,
        clock(),
    )


def test_while_a_worker_may_still_be_in_its_call_the_message_does_not_go_again(
    records: Records, ask: Ask, provider: Provider, clock: Clock, store: redis.Redis
) -> None:
    _uncertain(records, clock)
    clock.advance(PATIENCE.settling)
    lease = clock() + 5_000
    store.hset(keys.record(ID), mapping={"lease": lease, "reason": WORKER_LOST})
    provider.knows = [Unknown(), Unknown()]
    ask(ID)
    assert _read(records).state is State.UNCERTAIN
    assert _due(store) == lease
    clock.at = lease
    ask(ID)
    assert _read(records).state is State.QUEUED


def test_a_message_that_was_not_sent_and_is_too_old_by_now_is_expired(
    records: Records, ask: Ask, provider: Provider, clock: Clock
) -> None:
    _uncertain(records, clock, valid_for=30)
    clock.advance(PATIENCE.settling)
    provider.knows = [Unknown()]
    ask(ID)
    known = _read(records)
    assert (known.state, known.reason) == (State.EXPIRED, "unknown_to_provider")


def test_a_message_that_was_not_sent_and_is_out_of_attempts_is_a_dead_letter(
    records: Records, ask: Ask, provider: Provider, clock: Clock, store: redis.Redis
) -> None:
    _uncertain(records, clock)
    store.hset(keys.record(ID), "attempts", ATTEMPTS)
    clock.advance(PATIENCE.settling)
    provider.knows = [Unknown()]
    ask(ID)
    assert _read(records).state is State.DEAD
    assert store.zscore(keys.DEAD, ID) == clock()


@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_a_provider_that_does_not_answer_is_asked_less_and_less_often(
    records: Records, ask: Ask, provider: Provider, clock: Clock, store: redis.Redis, policy: str
) -> None:
    _uncertain(records, clock, on_uncertain=policy)
    waits = []
    for _ in range(ENOUGH_ASKED - 1):
        provider.knows = [SILENT]
        ask(ID)
        due = _due(store)
        assert due is not None
        waits.append(due - clock())
        clock.at = int(due)
    assert waits == sorted(set(waits))
    assert _read(records).state is State.UNCERTAIN


def test_what_is_to_be_held_is_held_for_as_long_as_nobody_answers_and_is_dead_then(
    records: Records, ask: Ask, provider: Provider, clock: Clock
) -> None:
    _uncertain(records, clock, on_uncertain="hold", valid_for=604_800)
    for hours in (1, 24, 71):
        clock.at = _read(records).accepted_at + hours * 3_600_000
        provider.knows = [SILENT]
        ask(ID)
        assert _read(records).state is State.UNCERTAIN
    clock.advance(3600)
    provider.knows = [SILENT]
    ask(ID)
    known = _read(records)
    assert (known.state, known.reason) == (State.DEAD, "uncertain")
    assert known.timeline[-1].detail["why"] == "read_timeout"


def test_what_may_go_twice_goes_again_when_nobody_answers(
    records: Records, ask: Ask, provider: Provider, clock: Clock
) -> None:
    _uncertain(records, clock, on_uncertain="resend")
    for _ in range(ENOUGH_ASKED):
        clock.advance(PATIENCE.settling / ENOUGH_ASKED)
        assert _read(records).state is State.UNCERTAIN
        provider.knows = [SILENT]
        ask(ID)
    known = _read(records)
    assert (known.state, known.reason) == (State.QUEUED, "provider_silent")


def test_an_answer_about_an_attempt_does_not_send_again_what_has_begun_another(
    watch: Watch, records: Records, schedule: Schedule, clock: Clock
) -> None:
    """Two questions were under way, and the first has had the message sent again."""
    _uncertain(records, clock)
    clock.advance(PATIENCE.settling)

    class Slow(Provider):
        def find(self, inquiry: Inquiry) -> Trace:
            records.move(ID, State.QUEUED, at=clock())
            records.move(ID, State.SENDING, at=clock(), fields={"attempts": 2})
            records.move(ID, State.UNCERTAIN, at=clock())
            return super().find(inquiry)

    slow = Slow()
    slow.knows = [Unknown()]
    Ask(records, schedule, only(slow, watch), watch, PATIENCE, clock)(ID)
    assert _read(records).state is State.UNCERTAIN


@pytest.mark.parametrize("trace", [Known(None), Unknown(), SILENT])
def test_a_receipt_that_never_comes_is_given_up_after_72_hours(
    records: Records, ask: Ask, provider: Provider, clock: Clock, store: redis.Redis, trace: Trace
) -> None:
    record = _uncertain(records, clock, State.SENT)
    asked = 0
    while _read(records).state is State.SENT:
        clock.advance(PATIENCE.receipt if not asked else 0)
        provider.knows = [trace]
        ask(ID)
        asked += 1
        due = _due(store)
        clock.at = int(due) if due else clock()
    known = _read(records)
    assert (known.state, known.reason) == (State.UNDELIVERED, "no_receipt")
    assert known.timeline[-1].at == PATIENCE.given_up_at(record.accepted_at)
    assert 4 <= asked <= 10


@pytest.mark.parametrize("state", sorted(set(State) - {State.UNCERTAIN, State.SENT}))
def test_nobody_asks_about_what_is_known(
    records: Records, ask: Ask, provider: Provider, clock: Clock, state: State
) -> None:
    _uncertain(records, clock, state)
    ask(ID)
    assert provider.asked == []


def test_nobody_asks_about_what_is_no_more(ask: Ask, provider: Provider, store: redis.Redis) -> None:
    store.zadd(keys.SILENT, {ID: 0})
    ask(ID)
    assert provider.asked == []
    assert store.keys() == []


def test_asking_logs_no_number(records: Records, ask: Ask, provider: Provider, clock: Clock) -> None:
    _uncertain(records, clock)
    provider.knows = [SILENT]
    with capture_logs() as logs:
        ask(ID)
    assert logs
    assert "138001380" not in repr(logs)
