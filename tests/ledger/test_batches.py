"""Batches in a real Redis: accepted a piece at a time, resumed, counted, kept."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
import redis

from smsgate.errors import BatchClosed, FieldError, IdempotencyConflict, InvalidMessage
from smsgate.flow.submit_batch import SubmitBatch, UploadBroken, Withdrawn
from smsgate.flow.write_rows import PIECE, Given, given
from smsgate.ledger import keys
from smsgate.ledger.batch import Status
from smsgate.ledger.records import Records
from smsgate.ledger.retention import Retention
from smsgate.message import Lane, MessageId
from smsgate.queues import Queue
from smsgate.states import State
from tests.ledger.batched import batch_of, common, rows, submitter, to
from tests.ledger.conftest import Clock
from tests.ledger.gathered import claim, number


@pytest.fixture
def submit(store: redis.Redis, clock: Clock) -> SubmitBatch:
    return submitter(store, clock)


def _taken(submit: SubmitBatch, clock: Clock, name: str) -> list[MessageId]:
    return list(submit.groups.take(Lane.BULK, name, claim(clock()), most=100).claimed)


def _broken_after(count: int, error: Exception) -> Iterator[Given]:
    yield from rows(count)
    raise error


def test_of_a_file_that_is_refused_because_a_row_differs_nothing_is_accepted(submit: SubmitBatch) -> None:
    first = submit(common(), rows(3), idempotency_key="k")
    with pytest.raises(UploadBroken) as broken:
        submit(common(), rows(400, first=1000), idempotency_key="k")
    assert isinstance(broken.value.error, IdempotencyConflict)
    assert "messages.0" in str(broken.value)
    assert batch_of(submit, first).accepted == 3


def test_a_key_goes_on_with_its_batch_and_counts_what_is_there_as_accepted(
    submit: SubmitBatch, store: redis.Redis
) -> None:
    with pytest.raises(UploadBroken) as broken:
        submit(common(), _broken_after(700, InvalidMessage([FieldError("body", "ended")])), idempotency_key="k")
    assert broken.value.upload.accepted == 700
    assert not batch_of(submit, broken.value.upload).complete
    whole = submit(common(), rows(1200), idempotency_key="k")
    assert (whole.id, whole.accepted, whole.replayed) == (broken.value.upload.id, 1200, True)
    known = batch_of(submit, whole)
    assert (known.accepted, known.received, known.complete, known.counts) == (1200, 1200, True, {State.QUEUED: 1200})
    assert store.llen(keys.group(known.lane, known.groups[0])) == 1200


def test_an_upload_that_begins_anew_takes_back_nothing_of_how_far_the_batch_has_come(submit: SubmitBatch) -> None:
    submit(common(), rows(1200), idempotency_key="k")
    with pytest.raises(UploadBroken) as broken:
        submit(common(), _broken_after(10, InvalidMessage([FieldError("body", "ended")])), idempotency_key="k")
    assert batch_of(submit, broken.value.upload).received == 1200


def test_what_is_accepted_is_known_as_received_before_the_next_note(submit: SubmitBatch, store: redis.Redis) -> None:
    def looking() -> Iterator[Given]:
        for one in rows(1300):
            yield one
            if one.index == 1250:
                (key,) = store.keys("sms:batch:*")
                assert store.hget(key, "rows_received") == "1200"

    submit(common(), looking())


def test_two_uploads_with_one_key_at_the_same_time_accept_each_row_once(submit: SubmitBatch) -> None:
    with ThreadPoolExecutor(4) as pool:
        uploads = list(pool.map(lambda _: submit(common(), rows(2600), idempotency_key="k"), range(4)))
    assert len({upload.id for upload in uploads}) == 1
    assert {upload.accepted for upload in uploads} == {2600}
    known = batch_of(submit, uploads[0])
    assert (known.accepted, known.counts, known.received) == (2600, {State.QUEUED: 2600}, 2600)


def test_an_opening_whose_answer_was_lost_is_the_first_all_the_same(submit: SubmitBatch, store: redis.Redis) -> None:
    upload = submit(common(), rows(1), idempotency_key="k")
    batch = batch_of(submit, upload)
    claim_of = store.get(keys.idempotency("", "k"))
    assert submit.batches.open(batch, str(claim_of).split()[1], "k")[0] == "accepted"


def test_other_fields_under_the_same_key_are_refused(submit: SubmitBatch) -> None:
    submit(common(), rows(1), idempotency_key="k")
    with pytest.raises(IdempotencyConflict):
        submit(common(sign="other"), rows(1), idempotency_key="k")


def test_the_rest_of_a_batch_may_come_after_its_time(submit: SubmitBatch, clock: Clock) -> None:
    at = datetime.fromtimestamp(clock() / 1000 + 60, UTC)
    with pytest.raises(UploadBroken):
        submit(common(send_at=at), _broken_after(3, InvalidMessage([FieldError("body", "ended")])), idempotency_key="k")
    clock.advance(3600)
    assert submit(common(send_at=at), rows(5), idempotency_key="k").accepted == 5
    with pytest.raises(InvalidMessage, match="in the past"):
        submit(common(send_at=at), rows(5), idempotency_key="another")


def test_rows_of_a_batch_with_a_time_are_all_ready_from_then_on_and_valid_from_then(
    submit: SubmitBatch, clock: Clock, records: Records
) -> None:
    at = clock() + 3600_000
    upload = submit(common(send_at=datetime.fromtimestamp(at / 1000, UTC), valid_for=60), rows(5000))
    clock.advance(3599)
    assert _taken(submit, clock, "early") == []
    clock.advance(1)
    assert submit.groups.fill(Lane.BULK, clock()) == 50
    assert [len(_taken(submit, clock, f"c{place}")) for place in range(51)] == [100] * 50 + [0]
    record = records.read(MessageId(f"{upload.id}-4999"))
    assert record is not None
    assert (record.valid_until, record.state) == (at + 60_000, State.SENDING)


def test_the_first_chunk_is_offered_while_rows_still_come_in(submit: SubmitBatch, store: redis.Redis) -> None:
    def looking() -> Iterator[Given]:
        for one in rows(2000):
            yield one
            if one.index == 650:
                assert store.llen(Queue.BULK) > 0

    submit(common(), looking())


def test_rows_of_a_slow_sender_do_not_wait_for_a_full_piece(
    submit: SubmitBatch, clock: Clock, store: redis.Redis
) -> None:
    group = batch_of(submit, submit(common(), rows(0), idempotency_key="k")).groups[0]

    def slow() -> Iterator[Given]:
        for one in rows(5):
            clock.advance(0.6)
            if one.index == 3:
                assert store.llen(keys.group(Lane.BULK, group)) >= 2
            yield one

    assert submit(common(), slow(), idempotency_key="k").accepted == 5


def test_two_rows_to_one_number_go_in_different_chunks_and_numbers_abroad_one_by_one(
    submit: SubmitBatch, clock: Clock
) -> None:
    submit(common(), to(number(1), number(1), number(2), "+14155552671", "+14155552672"))
    clock.advance(2)
    sizes = Counter(len(_taken(submit, clock, f"c{place}")) for place in range(4))
    clock.advance(2)
    sizes[len(_taken(submit, clock, "last"))] += 1
    assert sizes == {1: 3, 2: 1, 0: 1}


def test_rows_behind_which_fields_of_the_batch_stand_never_go(submit: SubmitBatch) -> None:
    for count in (3, 1250):
        with pytest.raises(UploadBroken) as broken:
            submit(common(), _broken_after(count, Withdrawn([FieldError("send_at", "must stand before")])))
        known = batch_of(submit, broken.value.upload)
        assert (known.status, known.accepted) == (Status.CANCELLED, count // PIECE * PIECE)


def test_rows_that_come_after_a_batch_was_called_back_are_refused(
    submit: SubmitBatch, clock: Clock, store: redis.Redis
) -> None:
    def called_back() -> Iterator[Given]:
        for one in rows(1200):
            if one.index == 650:
                (key,) = store.keys("sms:batch:*")
                batch = submit.batches.read(key.removeprefix(keys.BATCH_OF))
                assert batch is not None
                assert submit.batches.steer(batch, Status.CANCELLED, clock())
            yield one

    with pytest.raises(UploadBroken) as broken:
        submit(common(), called_back())
    assert isinstance(broken.value.error, BatchClosed)
    assert batch_of(submit, broken.value.upload).accepted == 600


def test_whatever_breaks_the_rows_of_a_caller_what_came_before_is_accepted_and_told(submit: SubmitBatch) -> None:
    with pytest.raises(UploadBroken) as broken:
        submit(common(), _broken_after(7, OSError("disk 13800138000")))
    assert (broken.value.upload.accepted, str(broken.value)) == (7, "OSError")


def test_a_batch_has_a_million_rows_at_most(submit: SubmitBatch) -> None:
    last = [Given(999_999, {"to": number(1)}), Given(1_000_000, {"to": number(2)})]
    with pytest.raises(UploadBroken, match="more than 1,000,000"):
        submit(common(), last)


def test_what_is_told_of_rows_that_are_none_is_bounded(submit: SubmitBatch) -> None:
    many = {f"field{place}": 1 for place in range(5000)}
    bad = [many, {"to": number(1), "x" * 5000: 1}, {"to": number(1), "params": dict.fromkeys(map(str, range(30)), 1)}]
    upload = submit(common(), (Given(place, fields) for place, fields in enumerate(bad)))
    assert [len(one.errors) for one in upload.rejected] == [1, 1, 5]
    assert max(len(error.field) for one in upload.rejected for error in one.errors) <= 101
    more = submit(common(), (Given(place, {}) for place in range(1500)))
    assert (more.rejected_count, len(more.rejected)) == (1500, 1000)


def test_a_batch_is_kept_for_as_long_as_its_rows_and_not_begun_anew_by_a_count(
    submit: SubmitBatch, store: redis.Redis, clock: Clock
) -> None:
    year = Records(store, retention=Retention(365 * keys.DAY))
    upload = submit(common(), rows(2))
    clock.advance(2)
    _taken(submit, clock, "c1")
    year.move(MessageId(f"{upload.id}-0"), State.DELIVERED, at=clock())
    assert store.ttl(keys.batch(upload.id)) > 364 * keys.DAY
    store.delete(keys.batch(upload.id))
    year.move(MessageId(f"{upload.id}-1"), State.DELIVERED, at=clock())
    assert not store.exists(keys.batch(upload.id))


def test_taking_a_chunk_of_a_batch_that_is_gone_leaves_no_count_behind(
    submit: SubmitBatch, store: redis.Redis, clock: Clock
) -> None:
    upload = submit(common(), rows(2))
    store.delete(keys.batch(upload.id))
    clock.advance(2)
    assert len(_taken(submit, clock, "c1")) == 2
    assert not store.exists(keys.batch(upload.id))


def test_rows_that_are_no_dicts_are_rows_too(submit: SubmitBatch) -> None:
    """Such as those of a database."""
    one = given(0, MappingProxyType({"to": number(0), "params": {"name": "n"}}))
    assert submit(common(), [one]).accepted == 1
