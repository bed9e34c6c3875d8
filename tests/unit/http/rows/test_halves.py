"""Half a surrogate pair in a batch as JSON, however it is written and cut: what NDJSON reads is the measure."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsgate.errors import InvalidMessage
from smsgate.flow.submit_batch import Withdrawn
from smsgate.http.rows.body import Body
from smsgate.http.rows.halves import Halves
from smsgate.http.rows.json_rows import JsonBatch
from smsgate.message import Addressed

WRITTEN = st.lists(
    st.sampled_from(
        [
            *(r"\ud800", r"\uD83D", r"\udc00", r"\uDFFF", r"\ud83d\ude00", r"\\", r"\"", r"\n", r"\u4e2d", r"\u005c"),
            *("ud800", "u", "d800", "a", "王", "😀"),
        ]
    ),
    max_size=12,
).map("".join)


class Cut:
    """A stream that gives its bytes so many at a time."""

    def __init__(self, raw: bytes, size: int) -> None:
        self._left, self._size = raw, size

    def read(self, size: int) -> bytes:
        size = min(size, self._size)
        piece, self._left = self._left[:size], self._left[size:]
        return piece


def _batch(raw: str, size: int = 1 << 16) -> JsonBatch:
    return JsonBatch(Body(Cut(raw.encode(), size), None, of_lines=False))  # type: ignore[arg-type]  # as a stream, it is read


def _rows(text: str, size: int) -> list[Any]:
    raw = f'{{"template": "T", "messages": [{{"to": "1", "params": {{"name": "{text}"}}}}, {{"to": "{text}"}}]}}'
    return [row.fields for row in _batch(raw, size).rows()]


def _expected(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ud800", str(json.loads(f'"{text}"')))


@settings(max_examples=300, deadline=None)
@given(text=WRITTEN, size=st.integers(1, 20))
def test_however_halves_are_written_and_cut_they_are_read_as_halves(text: str, size: int) -> None:
    expected = _expected(text)
    assert _rows(text, size) == [{"to": "1", "params": {"name": expected}}, {"to": expected}]


def test_a_value_with_half_a_pair_is_refused_by_the_name_of_its_field() -> None:
    whole, half = _batch(
        r'{"template": "T", "messages": [{"to": "13800138000", "params": {"name": "\ud83d\ude00"}},'
        r' {"to": "13800138000", "params": {"name": "x\ud83d"}}]}'
    ).rows()
    assert Addressed.check(whole.fields or {}).params == {"name": "😀"}
    with pytest.raises(InvalidMessage, match=r"params\.name: holds a lone surrogate"):
        Addressed.check(half.fields or {})


def test_a_name_with_half_a_pair_is_told_in_text_that_an_answer_can_hold() -> None:
    with pytest.raises(Withdrawn, match=r"\\ud800") as refused:
        list(_batch(r'{"template": "T", "messages": [], "\ud800": 1}').rows())
    str(refused.value).encode()


def test_a_code_point_that_looks_like_our_mark_is_left_alone() -> None:
    assert _rows(r"\ufdd0", 5)[1] == {"to": "\ufdd0"}


@pytest.mark.parametrize("tail", [b"\\", b"\\u", b"\\ud8", b"\\ud800", b"\\ud800\\udc0", b"\\" * 4001])
def test_what_a_body_ends_with_is_not_kept_back(tail: bytes) -> None:
    halves, read = Halves(Cut(b'"x' + tail, 7).read), b""
    while piece := halves.read(100):
        read += piece
    assert read.replace(b"\\ufdd0", b"\\ud800") == b'"x' + tail
