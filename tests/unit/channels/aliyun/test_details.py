from itertools import permutations

import pytest

from smsgate.channels.aliyun.reports import reason_of
from smsgate.channels.failure import no_answer
from smsgate.channels.verdicts import trace_of
from smsgate.message import MessageId
from smsgate.outcome import Fault, Refused, Uncertain, Unsent
from smsgate.phone import parse
from smsgate.receipt import Receipt
from smsgate.trace import Known, NoAnswer, Unknown


def receipt(code: str, reported_at: int | None = None) -> Receipt:
    delivered = code == "DELIVERED"
    reason = None if delivered else reason_of(code)
    return Receipt(MessageId("m-1"), "", parse("13900000001"), delivered, code, reason, reported_at, None)


DELIVERED, FAILED = receipt("DELIVERED", 1), receipt("EXPIRED", 2)


def test_a_message_without_an_entry_is_unknown() -> None:
    assert trace_of([]) == Unknown()


@pytest.mark.parametrize("verdicts", list(permutations([DELIVERED, None, FAILED])))
def test_one_delivery_counts_whatever_became_of_the_copies(verdicts: list[Receipt | None]) -> None:
    assert trace_of(verdicts) == Known(DELIVERED)


@pytest.mark.parametrize("verdicts", list(permutations([None, FAILED])))
def test_a_copy_that_waits_may_yet_arrive_where_another_failed(verdicts: list[Receipt | None]) -> None:
    assert trace_of(verdicts) == Known(None)


def test_of_copies_that_all_failed_the_last_word_counts() -> None:
    last = receipt("NO_ROUTE", 3)

    assert trace_of([FAILED, last, receipt("EXPIRED")]) == Known(last)


@pytest.mark.parametrize(
    ("failure", "answer"),
    [
        (Unsent("dns", Fault.PROVIDER), NoAnswer("dns", Fault.PROVIDER)),
        (Unsent("Throttling.User", Fault.THROTTLED, 2.0), NoAnswer("Throttling.User", Fault.THROTTLED)),
        (Refused("Forbidden.RAM", Fault.CREDENTIALS), NoAnswer("Forbidden.RAM", Fault.CREDENTIALS)),
        (Uncertain("read_timeout"), NoAnswer("read_timeout", Fault.PROVIDER)),
    ],
)
def test_no_failure_of_the_call_says_anything_of_the_message(
    failure: Unsent | Refused | Uncertain, answer: NoAnswer
) -> None:
    assert no_answer(failure) == answer
