"""The two ends that a task can make of a message: buried when it fails, rejected when it carries none."""

from collections.abc import Callable
from itertools import count

import pytest
import redis
from structlog.testing import capture_logs

from smsgate.channels.channel import Channel
from smsgate.errors import FieldError, InvalidMessage
from smsgate.flow.bury import bury
from smsgate.flow.deliver import Deliver
from smsgate.flow.reject import reject
from smsgate.flow.submit import draft
from smsgate.ledger.records import Event, Record, Records, Result
from smsgate.message import Message, MessageId
from smsgate.states import State
from tests.ledger.providers import Nobody

AT = 1_767_225_600_000
ID = MessageId("m1")
MESSAGE = Message.check({"to": "13800138000", "template": "T"})
ERROR = InvalidMessage([FieldError("to", "is required"), FieldError("lane", "must be one of …")])
Clock = Callable[[], int]
Through = Callable[[Channel], Deliver]


def _in(records: Records, *states: State) -> None:
    records.accept(draft(MESSAGE, ID, client="", at=AT), slot=None)
    for state in states:
        records.move(ID, state, at=AT)


def _read(records: Records) -> Record:
    known = records.read(ID)
    assert known is not None
    return known


def test_a_message_out_of_attempts_is_a_dead_letter_with_its_reason_and_history(records: Records, clock: Clock) -> None:
    _in(records, State.SENDING, State.QUEUED)
    bury(records, ID, "connect_refused", now=clock)
    known = _read(records)
    assert (known.state, known.reason) == (State.DEAD, "connect_refused")
    assert [event.state for event in known.timeline] == [State.QUEUED, State.SENDING, State.QUEUED, State.DEAD]
    assert known.timeline[-1] == Event(clock(), State.DEAD, {"reason": "connect_refused"})


@pytest.mark.parametrize("way", [[State.SENDING], [State.SENDING, State.UNCERTAIN]])
def test_a_message_that_may_have_been_sent_is_uncertain_and_not_dead(records: Records, way: list[State]) -> None:
    """A dead letter may be replayed, which would send it twice."""
    _in(records, *way)
    bury(records, ID, "SoftTimeLimitExceeded")
    assert _read(records).state is State.UNCERTAIN


@pytest.mark.parametrize("moment", [1, 2])
def test_a_message_that_another_worker_claims_meanwhile_is_not_buried(
    records: Records, clock: Clock, moment: int
) -> None:
    """Its task had come twice. A dead letter could not become `sent` any more, and its replay would send it again."""
    _in(records)
    looks = count(1)
    claims = []

    def now() -> int:
        if next(looks) == moment:
            claims.append(records.move(ID, State.SENDING, at=AT, fields={"attempts": 1}).result)
        return clock()

    bury(records, ID, "connect_refused", now=now)
    claimed = Result.MOVED in claims
    assert _read(records).state in ({State.SENDING, State.UNCERTAIN} if claimed else {State.DEAD})


@pytest.mark.parametrize(
    "way",
    [
        [State.SENDING, State.SENT],
        [State.SENDING, State.DELIVERED],
        [State.SENDING, State.FAILED],
        [State.EXPIRED],
        [State.CANCELLED],
    ],
)
def test_what_has_come_further_is_not_buried(records: Records, way: list[State]) -> None:
    _in(records, *way)
    before = _read(records)
    bury(records, ID, "WorkerLostError")
    assert _read(records) == before


def test_burying_twice_is_told_once(records: Records) -> None:
    _in(records)
    bury(records, ID, "first")
    bury(records, ID, "second")
    known = _read(records)
    assert (known.reason, len(known.timeline)) == ("first", 2)


def test_a_task_with_arguments_that_do_not_fit_gets_a_record_that_says_so(records: Records, clock: Clock) -> None:
    bury(records, ID, "TypeError", now=clock)
    known = _read(records)
    assert (known.state, known.message, known.reason) == (State.REJECTED, None, "invalid_message")
    assert known.timeline[0].detail["errors"][0]["field"] == "arguments"


def test_a_task_that_carries_no_message_is_rejected_field_by_field(
    records: Records, store: redis.Redis, clock: Clock
) -> None:
    reject(records, ID, ERROR, now=clock)
    known = _read(records)
    assert (known.state, known.message, known.accepted_at) == (State.REJECTED, None, clock())
    assert known.timeline == (
        Event(
            clock(),
            State.REJECTED,
            {
                "errors": [
                    {"field": "to", "message": "is required"},
                    {"field": "lane", "message": "must be one of …"},
                ]
            },
        ),
    )
    assert store.keys("sms.*") == []


def test_a_rejected_task_that_comes_again_is_told_once(records: Records, clock: Clock) -> None:
    reject(records, ID, ERROR, now=clock)
    before = _read(records)
    reject(records, ID, ERROR)
    assert _read(records) == before


def test_an_accepted_message_whose_task_turns_out_unreadable_does_not_wait_for_ever(records: Records) -> None:
    """Rules may have become stricter, and its task has been used up."""
    _in(records)
    reject(records, ID, ERROR)
    assert _read(records).state is State.REJECTED


def test_an_attempt_that_had_begun_is_uncertain_when_its_task_turns_out_unreadable(records: Records) -> None:
    """The worker that made it is gone, and no other task will come for this message."""
    _in(records, State.SENDING)
    reject(records, ID, ERROR)
    assert _read(records).state is State.UNCERTAIN


def test_a_rejection_does_not_undo_what_was_sent(records: Records) -> None:
    _in(records, State.SENDING, State.SENT)
    reject(records, ID, ERROR)
    assert _read(records).state is State.SENT


def test_a_rejected_record_does_not_outlive_its_end_by_more_than_any_other(
    records: Records, store: redis.Redis
) -> None:
    reject(records, ID, ERROR)
    assert store.ttl("sms:msg:m1") <= 3600


def test_what_has_been_buried_is_not_sent(records: Records, deliver_through: Through) -> None:
    _in(records)
    bury(records, ID, "connect_refused")
    deliver_through(Nobody())(ID, MESSAGE.lane, lambda: MESSAGE)
    assert _read(records).state is State.DEAD


def test_what_has_been_rejected_is_not_sent(records: Records, deliver_through: Through) -> None:
    reject(records, ID, ERROR)
    deliver_through(Nobody())(ID, MESSAGE.lane, lambda: MESSAGE)
    assert _read(records).state is State.REJECTED


def test_neither_end_logs_more_than_names(records: Records) -> None:
    with capture_logs() as logs:
        reject(records, ID, ERROR)
        bury(records, ID, "reason")
    assert "13800138000" not in repr(logs)
