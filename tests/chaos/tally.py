"""What a batch says of itself, held against what its rows say. Pure, as the verdict is."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class BatchSeen:
    """A batch that was accepted: how many rows were sent in, how many of them are no messages, and what is told of it.

    `rows` are the states of its messages, each asked for by itself; those without a record are `missing`. `told` is
    None where the batch cannot be read.
    """

    id: str
    sent_in: int
    spoilt: int
    told: Mapping[str, Any] | None
    rows: Counter[str]


def faults_of(batch: BatchSeen, *, ended: bool) -> Iterator[str]:
    """Say in what a batch is wrong about its rows; `ended` says that all of them have come to their end."""
    told = batch.told
    if told is None:
        yield "there is no record of it"
        return
    expected = {
        "received": batch.sent_in,
        "rejected": batch.spoilt,
        "accepted": batch.sent_in - batch.spoilt,
        "counts": dict(batch.rows),
    }
    if ended:
        expected["status"] = "done"
    for name, truth in expected.items():
        if told.get(name) != truth:
            yield f"it says {name} {told.get(name)!r}, and it is {truth!r}"
