from contextlib import suppress

import pytest
import redis

from smsgate.errors import RetryLater
from smsgate.flow.patience import LONGEST_LIMIT, Patience
from smsgate.flow.settle import WORKER_LOST, Attempt, settle
from smsgate.flow.submit import draft
from smsgate.ledger import keys
from smsgate.ledger.records import LOOK_AGAIN, Event, Record, Records
from smsgate.message import Lane, Message, MessageId
from smsgate.outcome import MENDABLE, Fault, Outcome, Refused, Sent, Uncertain, Unsent
from smsgate.states import State

AT = 1_767_225_600_000
ID = MessageId("m1")
VALID_FOR = 300
MESSAGE = Message.check({"to": "13800138000", "template": "T", "valid_for": VALID_FOR})
RECORD = draft(MESSAGE, ID, client="", at=AT)
ATTEMPT = Attempt(RECORD, "aliyun", 1)
PATIENCE = Patience()


@pytest.fixture(autouse=True)
def _begun(records: Records) -> None:
    records.accept(RECORD, slot=None)
    records.move(ID, State.SENDING, at=AT, fields={"reason": "of an attempt before", "attempts": 1})


def _read(records: Records) -> Record:
    known = records.read(ID)
    assert known is not None
    return known


def _settled(records: Records, outcome: Outcome, *, at: int = AT + 1) -> Record:
    settle(records, ATTEMPT, outcome, at=at, patience=PATIENCE)
    return _read(records)


def test_what_was_sent_awaits_its_receipt_under_the_providers_id(records: Records) -> None:
    known = _settled(records, Sent("9001^0"))
    assert (known.state, known.provider_id, known.reason) == (State.SENT, "9001^0", None)
    assert known.timeline[-1] == Event(AT + 1, State.SENT, {"channel": "aliyun", "provider_id": "9001^0"})


@pytest.mark.parametrize("fault", list(Fault))
def test_what_was_refused_ends_with_its_reason_and_where_it_can_be_mended_as_a_dead_letter(
    records: Records, fault: Fault
) -> None:
    known = _settled(records, Refused("isv.SOME_CODE", fault))
    assert known.state is (State.DEAD if fault in MENDABLE else State.FAILED)
    assert known.reason == "isv.SOME_CODE"
    assert known.timeline[-1].detail == {"channel": "aliyun", "reason": "isv.SOME_CODE", "fault": fault.value}


def test_what_may_have_been_sent_is_uncertain_and_is_not_retried(records: Records) -> None:
    known = _settled(records, Uncertain("read_timeout"))
    assert (known.state, known.reason) == (State.UNCERTAIN, "read_timeout")


@pytest.mark.parametrize("wait", [None, 0.0, 2.5, 299.0])
def test_what_was_surely_not_sent_goes_back_to_the_queue_for_another_attempt(
    records: Records, wait: float | None
) -> None:
    with pytest.raises(RetryLater) as later:
        settle(records, ATTEMPT, Unsent("connect_refused", Fault.PROVIDER, wait), at=AT + 1, patience=PATIENCE)
    assert (later.value.reason, later.value.wait) == ("connect_refused", wait)
    known = _read(records)
    assert (known.state, known.reason, known.attempts) == (State.QUEUED, "connect_refused", 1)


@pytest.mark.parametrize("lane", list(Lane))
def test_a_number_over_its_limit_waits_as_long_as_is_of_use_in_its_lane(records: Records, lane: Lane) -> None:
    message = Message.check({"to": "13800138000", "template": "T", "lane": lane.value, "valid_for": 604_800})
    for name, wait, state in (
        ("m2", LONGEST_LIMIT[lane], State.QUEUED),
        ("m3", LONGEST_LIMIT[lane] + 1, State.FAILED),
    ):
        record = draft(message, MessageId(name), client="", at=AT)
        records.accept(record, slot=None)
        records.move(record.id, State.SENDING, at=AT, fields={"attempts": 1})
        outcome = Unsent("isv.BUSINESS_LIMIT_CONTROL", Fault.RECIPIENT, wait)
        with suppress(RetryLater):
            settle(records, Attempt(record, "aliyun", 1), outcome, at=AT + 1, patience=PATIENCE)
        known = records.read(record.id)
        assert known is not None
        assert known.state is state


@pytest.mark.parametrize(("at", "wait"), [(VALID_FOR, None), (VALID_FOR - 10, 10.0), (VALID_FOR + 60, None)])
def test_what_would_come_too_late_is_not_tried_again(records: Records, at: int, wait: float | None) -> None:
    known = _settled(records, Unsent("throttled", Fault.THROTTLED, wait), at=AT + at * 1000)
    assert (known.state, known.reason) == (State.FAILED, "throttled")


def test_what_would_come_just_in_time_is_tried_again(records: Records) -> None:
    late = AT + VALID_FOR * 1000 - 10_001
    with pytest.raises(RetryLater):
        settle(records, ATTEMPT, Unsent("throttled", Fault.THROTTLED, 10.0), at=late, patience=PATIENCE)
    assert _read(records).state is State.QUEUED


@pytest.mark.parametrize("outcome", [Sent("9001"), Uncertain("read_timeout"), Refused("x", Fault.MESSAGE)])
def test_a_receipt_that_overtook_the_answer_stands(records: Records, outcome: Outcome) -> None:
    records.move(ID, State.DELIVERED, at=AT, fields={"reason": "", "provider_id": "9000"})
    known = _settled(records, outcome)
    assert (known.state, known.provider_id) == (State.DELIVERED, "9000")


def test_an_answer_that_comes_after_doubt_settles_it(records: Records) -> None:
    records.move(ID, State.UNCERTAIN, at=AT, fields={"reason": "worker_lost"})
    known = _settled(records, Sent("9001"))
    assert (known.state, known.provider_id, known.reason) == (State.SENT, "9001", None)


@pytest.mark.parametrize(
    "outcome", [Unsent("dns", Fault.PROVIDER), Uncertain("read_timeout"), Refused("x", Fault.MESSAGE)]
)
def test_what_an_earlier_attempt_says_does_not_settle_a_later_one(records: Records, outcome: Outcome) -> None:
    """It was asked about, and the provider did not know it: now another attempt is in flight."""
    records.move(ID, State.UNCERTAIN, at=AT)
    records.move(ID, State.QUEUED, at=AT)
    records.move(ID, State.SENDING, at=AT, fields={"attempts": 2})
    before = _read(records)
    with suppress(RetryLater):
        settle(records, ATTEMPT, outcome, at=AT + 1, patience=PATIENCE)
    assert _read(records) == before


def test_a_late_answer_that_a_message_was_sent_keeps_it_from_going_again(records: Records) -> None:
    records.move(ID, State.UNCERTAIN, at=AT)
    records.move(ID, State.QUEUED, at=AT)
    assert _settled(records, Sent("9001")).state is State.SENT


@pytest.mark.parametrize(
    ("outcome", "asked_at"),
    [
        (Sent("9001"), PATIENCE.receipt_due(AT + 1)),
        (Uncertain("read_timeout"), PATIENCE.next_question(AT + 1, 0)),
        (Refused("x", Fault.MESSAGE), None),
        (Refused("x", Fault.ACCOUNT), None),
    ],
)
def test_somebody_looks_after_every_message_that_has_not_come_to_rest(
    records: Records, store: redis.Redis, outcome: Outcome, asked_at: int | None
) -> None:
    _settled(records, outcome)
    scores = [store.zscore(index, ID) for index in (keys.UNCERTAIN, keys.SILENT)]
    assert [score for score in scores if score is not None] == ([asked_at] if asked_at else [])
    assert store.zscore(keys.due(Lane.NOTICE), ID) is None


def test_a_message_put_back_is_looked_after_also_if_its_next_task_is_never_published(
    records: Records, store: redis.Redis
) -> None:
    with pytest.raises(RetryLater):
        _settled(records, Unsent("dns", Fault.PROVIDER))
    assert store.zscore(keys.due(Lane.NOTICE), ID) == AT + 1 + LOOK_AGAIN


def test_an_attempt_that_its_own_worker_calls_uncertain_is_over(records: Records) -> None:
    assert _settled(records, Uncertain("read_timeout")).lease == AT + 1


def test_an_attempt_that_another_worker_doubts_may_go_on_until_its_lease_ends(records: Records) -> None:
    records.move(ID, State.QUEUED, at=AT)
    records.move(ID, State.SENDING, at=AT, fields={"attempts": 2, "lease": AT + 60_000})
    settle(records, Attempt(RECORD, "aliyun", 2), Uncertain(WORKER_LOST), at=AT + 1, patience=PATIENCE)
    assert _read(records).lease == AT + 60_000


def test_that_an_earlier_attempt_was_sent_counts_while_a_later_one_is_in_its_call(records: Records) -> None:
    """The first worker was frozen in its call; the provider did not know the message, and another began with it."""
    for state in (State.UNCERTAIN, State.QUEUED, State.SENDING):
        records.move(ID, state, at=AT, fields={"attempts": 2} if state is State.SENDING else {})
    known = _settled(records, Sent("first"))
    assert (known.state, known.provider_id, known.attempts) == (State.SENT, "first", 2)
