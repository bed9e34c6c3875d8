"""A batch whose Redis fills up, falls silent or goes away in the middle, and one that is steered meanwhile."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from subprocess import Popen

import pytest
import redis

from smsgate.errors import StoreUnavailable
from smsgate.flow.gather import Gather
from smsgate.flow.steer_batch import CancelRows, SteerBatch
from smsgate.flow.submit_batch import SubmitBatch, UploadBroken
from smsgate.flow.watch import Watch
from smsgate.flow.write_rows import Given
from smsgate.ledger import keys
from smsgate.ledger.batch import Status
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.lanes import Lanes
from smsgate.ledger.records import Moving, Records, Step
from smsgate.message import Lane, MessageId
from smsgate.queues import Queue
from smsgate.states import State
from tests.ledger.batched import batch_of, common, rows, submitter
from tests.ledger.conftest import Clock
from tests.ledger.gathered import claim, number
from tests.ledger.providers import Nobody, only

Redis = Callable[..., AbstractContextManager[tuple[str, "Popen[bytes]"]]]


@pytest.fixture
def submit(store: redis.Redis, clock: Clock) -> SubmitBatch:
    return submitter(store, clock)


def test_a_redis_that_fills_up_in_the_middle_keeps_what_it_took_and_takes_the_rest_later(
    start_redis: Redis, clock: Clock
) -> None:
    with start_redis("--maxmemory", "4mb", "--maxmemory-policy", "noeviction") as (url, _):
        store = connect_briefly(url)
        submit = submitter(store, clock)
        with pytest.raises(UploadBroken) as broken:
            submit(common(), rows(20_000), idempotency_key="k")
        upload = broken.value.upload
        assert isinstance(broken.value.error, StoreUnavailable)
        assert 500 <= upload.accepted < 20_000
        known = batch_of(submit, upload)
        assert (known.accepted, known.counts) == (upload.accepted, {State.QUEUED: upload.accepted})
        assert store.zcard(keys.due(Lane.BULK)) == store.llen(keys.group(Lane.BULK, known.groups[0])) == known.accepted
        store.config_set("maxmemory", "100mb")
        assert submit(common(), rows(20_000), idempotency_key="k").accepted == 20_000
        assert batch_of(submit, upload).counts == {State.QUEUED: 20_000}


def test_a_redis_that_falls_silent_in_the_middle_has_each_row_once_in_the_end(start_redis: Redis, clock: Clock) -> None:
    with start_redis() as (url, server):
        submit = submitter(connect_briefly(url), clock)

        def silenced() -> Iterator[Given]:
            for one in rows(3000):
                if one.index == 1400:
                    server.send_signal(signal.SIGSTOP)
                yield one

        with pytest.raises(UploadBroken) as broken:
            submit(common(), silenced(), idempotency_key="k")
        server.send_signal(signal.SIGCONT)
        assert isinstance(broken.value.error, StoreUnavailable)
        assert submit(common(), rows(3000), idempotency_key="k").accepted == 3000
        assert batch_of(submit, broken.value.upload).counts == {State.QUEUED: 3000}


def test_rows_of_any_lane_are_taken_though_they_are_few(
    watch: Watch, submit: SubmitBatch, store: redis.Redis, clock: Clock, lanes: Lanes
) -> None:
    submit(common(lane=Lane.OTP), rows(3))
    clock.advance(2)
    Gather(submit.groups, lanes, only(Nobody(), watch), now=clock)()
    assert store.llen(Queue.OTP) == 1
    assert len(submit.groups.take(Lane.OTP, "c1", claim(clock()), most=100).claimed) == 3


def test_a_batch_that_is_called_back_ends_where_it_waits_also_for_another_attempt(
    submit: SubmitBatch, clock: Clock, records: Records
) -> None:
    upload = submit(common(), rows(1200))
    taken = list(submit.groups.take(Lane.BULK, "c1", claim(clock()), most=100).claimed)
    again = Step(State.QUEUED, clock(), {"not_before": clock() + 60_000})
    records.move_all([Moving(one, 1, clock() + 60_000) for one in taken[:40]], again)
    batch = batch_of(submit, upload)
    for _ in range(2):  # repeating it does no harm
        assert SteerBatch(submit.batches, submit.groups, now=clock)(batch, Status.CANCELLED)
    assert CancelRows(records, submit.batches, now=clock)(upload.id, 0) == 1140
    assert batch_of(submit, upload).counts == {State.CANCELLED: 1140, State.SENDING: 60}
    assert not SteerBatch(submit.batches, submit.groups, now=clock)(batch, Status.OPEN)
    assert not submit.groups.take(Lane.BULK, "c2", claim(clock()), most=100).claimed


def test_a_long_batch_is_called_back_by_one_task_after_another(
    submit: SubmitBatch, clock: Clock, records: Records, store: redis.Redis
) -> None:
    upload = submit(common(), rows(21_000))
    cancel = CancelRows(records, submit.batches, now=clock)
    assert cancel(upload.id, 0) == 20_000
    assert store.llen(Queue.CHORES) == 1
    assert cancel(upload.id, 20_000) == 1000


def test_nothing_is_taken_of_a_paused_batch_nor_of_rows_that_it_gets_meanwhile(
    submit: SubmitBatch, clock: Clock
) -> None:
    upload = submit(common(), rows(700), idempotency_key="k")
    steer = SteerBatch(submit.batches, submit.groups, now=clock)
    assert steer(batch_of(submit, upload), Status.PAUSED)
    submit(common(), rows(1400), idempotency_key="k")
    clock.advance(5)
    assert not submit.groups.take(Lane.BULK, "c1", claim(clock()), most=100).claimed
    assert steer(batch_of(submit, upload), Status.OPEN)
    found = [len(submit.groups.take(Lane.BULK, f"d{place}", claim(clock()), most=100).claimed) for place in range(15)]
    assert found == [100] * 14 + [0]


def test_a_worker_that_takes_rows_of_a_batch_that_is_called_back_is_given_none_to_send(
    submit: SubmitBatch, clock: Clock
) -> None:
    upload = submit(common(), rows(250))
    SteerBatch(submit.batches, submit.groups, now=clock)(batch_of(submit, upload), Status.CANCELLED)
    found = [submit.groups.take(Lane.BULK, f"c{place}", claim(clock()), most=100) for place in range(4)]
    assert [len(one.claimed) for one in found] == [0] * 4
    assert sorted(one for chunk in found for one in chunk.cancelled) == sorted(
        MessageId(f"{upload.id}-{place}") for place in range(250)
    )


def test_rows_that_were_sent_and_forgotten_are_not_sent_again(
    store: redis.Redis, records: Records, clock: Clock
) -> None:
    submit = replace(submitter(store, clock), kept=3600)
    bad = Given(2, {"to": "1"})
    first = submit(common(), [*rows(2), bad], idempotency_key="k")
    clock.advance(3599)
    mended = Given(2, {"to": number(2), "params": {"name": "n"}})
    assert submit(common(), [*rows(2), mended], idempotency_key="k").accepted == 3
    assert submit(common(), rows(3), idempotency_key="k").accepted == 3
    for place in (0, 2):
        store.delete(keys.record(MessageId(f"{first.id}-{place}")))
    clock.advance(1)
    again = submit(common(), rows(5), idempotency_key="k")
    assert (again.accepted, again.received, again.rejected_count) == (3, 5, 2)
    assert [(one.index, "may have been sent" in one.errors[0].message) for one in again.rejected] == [
        (0, True),
        (2, True),
    ]
    assert not any(records.read_all([MessageId(f"{first.id}-{place}") for place in (0, 2)]))
    known = batch_of(submit, again)
    assert (known.received, known.accepted, known.rejected) == (5, 5, 0)  # as they came first


def test_rows_that_are_forgotten_while_they_are_sent_again_are_not_sent_again(store: redis.Redis, clock: Clock) -> None:
    submit = replace(submitter(store, clock), kept=3600)
    first = submit(common(), rows(250), idempotency_key="k")
    clock.advance(3599)

    def slowly() -> Iterator[Given]:
        for given in rows(250):
            if given.index == 150:
                clock.advance(1)
                store.delete(*(keys.record(MessageId(f"{first.id}-{place}")) for place in range(200, 250)))
            yield given

    again = submit(common(), slowly(), idempotency_key="k")
    assert (again.accepted, again.rejected_count) == (200, 50)
