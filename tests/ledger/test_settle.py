import pytest

from smsgate.errors import RetryLater
from smsgate.flow.settle import LONGEST_WAIT, Attempt, settle
from smsgate.flow.submit import draft
from smsgate.ledger.records import Event, Record, Records
from smsgate.message import Message, MessageId
from smsgate.outcome import MENDABLE, Fault, Outcome, Refused, Sent, Uncertain, Unsent
from smsgate.states import State

AT = 1_767_225_600_000
ID = MessageId("m1")
VALID_FOR = 300
MESSAGE = Message.check({"to": "13800138000", "template": "T", "valid_for": VALID_FOR})
ATTEMPT = Attempt(ID, "aliyun", 1, AT + VALID_FOR * 1000)


@pytest.fixture(autouse=True)
def _begun(records: Records) -> None:
    records.accept(draft(MESSAGE, ID, client="", at=AT), task=None)
    records.move(ID, State.SENDING, at=AT, fields={"reason": "of an attempt before"}, attempt=True)


def _read(records: Records) -> Record:
    known = records.read(ID)
    assert known is not None
    return known


def _settled(records: Records, outcome: Outcome, *, at: int = AT + 1) -> Record:
    settle(records, ATTEMPT, outcome, at=at)
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


@pytest.mark.parametrize("wait", [None, 0.0, 2.5, LONGEST_WAIT])
def test_what_was_surely_not_sent_goes_back_to_the_queue_for_another_attempt(
    records: Records, wait: float | None
) -> None:
    with pytest.raises(RetryLater) as later:
        settle(records, ATTEMPT, Unsent("connect_refused", Fault.PROVIDER, wait), at=AT + 1)
    assert (later.value.reason, later.value.wait) == ("connect_refused", wait)
    known = _read(records)
    assert (known.state, known.reason, known.attempts) == (State.QUEUED, "connect_refused", 1)


@pytest.mark.parametrize("wait", [LONGEST_WAIT + 1, 3600.0, float("inf")])
def test_a_wait_that_would_come_near_the_visibility_timeout_is_a_failure(records: Records, wait: float) -> None:
    assert _settled(records, Unsent("throttled", Fault.RECIPIENT, wait)).state is State.FAILED


@pytest.mark.parametrize(("at", "wait"), [(VALID_FOR, None), (VALID_FOR - 10, 10.0), (VALID_FOR + 60, None)])
def test_what_would_come_too_late_is_not_tried_again(records: Records, at: int, wait: float | None) -> None:
    known = _settled(records, Unsent("throttled", Fault.THROTTLED, wait), at=AT + at * 1000)
    assert (known.state, known.reason) == (State.FAILED, "throttled")


def test_what_would_come_just_in_time_is_tried_again(records: Records) -> None:
    with pytest.raises(RetryLater):
        settle(records, ATTEMPT, Unsent("throttled", Fault.THROTTLED, 10.0), at=AT + VALID_FOR * 1000 - 10_001)
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
