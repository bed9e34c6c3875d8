"""Batches at the door: rows for which there is room, and uploads that are requests."""

from collections.abc import Iterable

import pytest
import redis

from smsgate.errors import BatchClosed, IdempotencyConflict, LimitExceeded
from smsgate.flow.report_limits import About, report_limits
from smsgate.flow.submit_batch import SubmitBatch, UploadBroken
from smsgate.flow.write_rows import Given
from smsgate.gates.quota import Algorithm
from smsgate.ledger.batch import Status
from tests.ledger.batched import batch_of, common, rows, to
from tests.ledger.gathered import number
from tests.ledger.limited import limit, submit_batch

BUDGET = limit("day", "250/day", "client", algorithm="fixed_window")


def _used(submit: SubmitBatch, client: str = "shop") -> list[int]:
    assert submit.admit is not None
    return [one["used"] for one in report_limits(submit.admit, About(client=client))]


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_rows_beyond_a_limit_are_rejected_and_the_others_accepted(store: redis.Redis, algorithm: Algorithm) -> None:
    submit = submit_batch(store, limit("hour", "250/hour", "client", algorithm=algorithm))
    upload = submit(common(), rows(400), client="shop")
    assert upload.received == 400
    # By GCRA one comes back every 14 s.
    assert 250 <= upload.accepted <= 251
    assert upload.rejected_count == 400 - upload.accepted
    (error,) = upload.rejected[-1].errors
    assert (upload.rejected[-1].index, error.field) == (399, "hour")
    assert error.message.startswith("250/hour for each client is used up; it frees in ")
    assert upload.limited is not None
    assert batch_of(submit, upload).rejected == upload.rejected_count
    assert [one.remaining for one in upload.standings] == [0]


def test_each_number_of_a_batch_has_its_own_limit(store: redis.Redis) -> None:
    submit = submit_batch(store, limit("codes", "2/hour", "recipient", "sign"), BUDGET)
    numbers = [number(place % 60) for place in range(300)]
    upload = submit(common(), to(*numbers), client="shop")
    assert (upload.accepted, upload.rejected_count) == (120, 180)
    assert {one.errors[0].field for one in upload.rejected} == {"codes"}
    assert [one.index for one in upload.rejected] == list(range(120, 300))
    assert _used_of(submit, "day") == 120


def _used_of(submit: SubmitBatch, name: str) -> int:
    assert submit.admit is not None
    return int(next(one["used"] for one in report_limits(submit.admit, About(client="shop")) if one["name"] == name))


def test_a_batch_that_comes_again_counts_what_was_not_accepted_before(store: redis.Redis) -> None:
    submit = submit_batch(store, BUDGET)
    first = submit(common(), rows(200), client="shop", idempotency_key="k")
    again = submit(common(), rows(200), client="shop", idempotency_key="k")
    assert (first.accepted, again.accepted, again.replayed) == (200, 200, True)
    assert _used(submit) == [200]
    longer = submit(common(), rows(300), client="shop", idempotency_key="k")
    assert (longer.accepted, longer.rejected_count) == (250, 50)
    assert _used(submit) == [250]
    used_up = submit(common(), rows(300), client="shop", idempotency_key="k")
    assert (used_up.accepted, used_up.rejected_count) == (250, 50)


def test_a_row_that_is_no_message_counts_for_nothing(store: redis.Redis) -> None:
    submit = submit_batch(store, BUDGET)
    upload = submit(common(), to("12345", number(1), "x"), client="shop")
    assert (upload.accepted, upload.rejected_count, upload.limited) == (1, 2, None)
    assert _used(submit) == [1]


def test_rows_that_could_not_be_written_give_back_their_permits(store: redis.Redis) -> None:
    submit = submit_batch(store, BUDGET)

    def called_back() -> Iterable[Given]:
        yield from rows(100)
        (name,) = store.scan_iter("sms:batch:*")
        batch = submit.batches.read(str(name).removeprefix("sms:batch:"))
        assert batch is not None
        submit.batches.steer(batch, Status.CANCELLED, submit.now())
        yield from (Given(place, {"to": one}) for place, one in enumerate(("+85251234567", number(7)), start=100))

    with pytest.raises(UploadBroken) as broken:
        submit(common(), called_back(), client="shop")
    assert isinstance(broken.value.error, BatchClosed)
    assert _used(submit) == [100]


def test_another_row_under_a_known_number_gives_back_too(store: redis.Redis) -> None:
    submit = submit_batch(store, BUDGET)
    submit(common(), rows(10), client="shop", idempotency_key="k")
    with pytest.raises(UploadBroken) as broken:
        submit(common(), rows(20, said="other"), client="shop", idempotency_key="k")
    assert isinstance(broken.value.error, IdempotencyConflict)
    assert _used(submit) == [10]


def test_a_limit_of_requests_counts_an_upload_once_and_refuses_it_unread(store: redis.Redis) -> None:
    submit = submit_batch(store, limit("uploads", "2/hour", "client", counts="requests"))

    def unread() -> Iterable[Given]:
        raise AssertionError("it was read")
        yield

    for key in ("a", "b"):
        submit(common(), rows(150), client="shop", idempotency_key=key)
    assert _used(submit) == [2]
    with pytest.raises(LimitExceeded, match="uploads"):
        submit(common(), unread(), client="shop", idempotency_key="c")
    with pytest.raises(LimitExceeded, match="uploads"):
        submit.look("shop", "c")
    submit.look("shop", "a")
    submit.look("another", None)
    assert submit(common(), rows(150), client="shop", idempotency_key="a").replayed
    with pytest.raises(IdempotencyConflict):
        submit(common(template="X"), unread(), client="shop", idempotency_key="a")
    assert _used(submit) == [2]


def test_rows_fit_a_budget_that_others_use_up_meanwhile(store: redis.Redis) -> None:
    submit = submit_batch(store, BUDGET)
    submit(common(), rows(240), client="shop")
    upload = submit(common(), rows(50, first=1000), client="shop")
    assert (upload.accepted, upload.rejected_count) == (10, 40)
    assert _used(submit) == [250]
