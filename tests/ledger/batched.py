"""Batches, as a test has them accepted."""

from collections.abc import Iterable

import redis

from smsgate.flow.submit_batch import SubmitBatch
from smsgate.flow.write_rows import Given, Upload
from smsgate.ledger.batch import Batch
from smsgate.ledger.batches import Batches
from smsgate.ledger.groups import Groups
from smsgate.ledger.records import Records
from smsgate.ledger.retention import Retention
from smsgate.message import Common, Lane
from tests.ledger.conftest import RETENTION, Clock
from tests.ledger.gathered import number


def submitter(store: redis.Redis, clock: Clock) -> SubmitBatch:
    return SubmitBatch(Records(store, retention=Retention(RETENTION)), Batches(store), Groups(store), now=clock)


def rows(count: int, *, first: int = 0, said: str = "n") -> Iterable[Given]:
    """Give rows, each to a number of its own."""
    return (Given(place, {"to": number(first + place), "params": {"name": said}}) for place in range(count))


def to(*numbers: str) -> Iterable[Given]:
    return (Given(place, {"to": one}) for place, one in enumerate(numbers))


def common(**fields: object) -> Common:
    return Common.check({"template": "T", "lane": Lane.BULK, **fields})


def batch_of(submit: SubmitBatch, upload: Upload) -> Batch:
    found = submit.batches.read(upload.id)
    assert found is not None
    return found
