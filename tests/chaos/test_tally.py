"""A batch that says what its rows do not say is found, in whatever it is wrong."""

from collections import Counter
from typing import Any

import pytest

from tests.chaos.tally import BatchSeen
from tests.chaos.verdict import Seen, judge

ID = "01a20a7c-e905-75d3-9d7e-0461eca33e41"
ROWS = Counter({"delivered": 6, "dead": 2})
TOLD = {"status": "done", "received": 9, "rejected": 1, "accepted": 8, "counts": dict(ROWS)}


def _found(told: dict[str, Any] | None, rows: Counter[str] = ROWS) -> list[str]:
    seen = Seen([], {}, {}, {}, [BatchSeen(ID, 9, 1, told, rows)])
    offences = judge(seen).offences
    assert {(one.promise, one.message_id) for one in offences} <= {("miscounted", ID)}
    return [one.why for one in offences]


def test_a_batch_that_agrees_with_its_rows_breaks_no_promise() -> None:
    assert _found(TOLD) == []


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("received", 8),
        ("received", 10),
        ("rejected", 0),
        ("accepted", 7),
        ("counts", {"delivered": 7, "dead": 2}),
        ("counts", {"delivered": 6, "dead": 1, "sending": 1}),
        ("counts", {"delivered": 8}),
        ("status", "open"),
        ("status", "interrupted"),
    ],
)
def test_whatever_a_batch_says_wrong_is_told(name: str, wrong: object) -> None:
    (why,) = _found({**TOLD, name: wrong})
    assert name in why


def test_a_row_without_a_record_is_missed_in_its_batch_too() -> None:
    assert len(_found(TOLD, Counter({"delivered": 5, "dead": 2, "missing": 1}))) == 1


def test_a_batch_that_is_on_its_way_may_say_so_and_still_counts_right() -> None:
    rows = Counter({"delivered": 7, "sent": 1})
    assert _found({**TOLD, "status": "open", "counts": dict(rows)}, rows) == []
    assert len(_found({**TOLD, "status": "open"}, rows)) == 1


def test_a_batch_that_cannot_be_read_is_told() -> None:
    assert _found(None) == ["there is no record of it"]
