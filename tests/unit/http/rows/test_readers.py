"""The rows of a batch, whatever their format and however their bytes come in."""

import contextlib
import csv
import io
import json
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsgate.errors import InvalidMessage
from smsgate.flow.submit_batch import Withdrawn
from smsgate.flow.write_rows import Given
from smsgate.http.rows.body import Body
from smsgate.http.rows.csv_rows import LONGEST, csv_rows
from smsgate.http.rows.json_rows import JsonBatch
from smsgate.http.rows.ndjson import ndjson_rows

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"to": st.from_regex(r"1[0-9]{10}", fullmatch=True), "params": st.fixed_dictionaries({"name": TEXTS})}
    ),
    min_size=1,
    max_size=8,
)
CUTS = st.lists(st.integers(1, 40), min_size=1, max_size=30)


class Pieces:
    """A stream that gives what it has in pieces of its own choice, as a socket does."""

    def __init__(self, raw: bytes, sizes: Sequence[int] = ()) -> None:
        self._left, self._sizes = raw, list(sizes)

    def read(self, size: int) -> bytes:
        size = min(size, self._sizes.pop() if self._sizes else size)
        piece, self._left = self._left[:size], self._left[size:]
        return piece


def _body(raw: bytes, sizes: Sequence[int] = (), length: int | None = None, *, of_lines: bool = False) -> Body:
    return Body(Pieces(raw, sizes), length, of_lines=of_lines)  # type: ignore[arg-type]  # of a stream it has what is read


def _as_csv(rows: Iterable[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(["to", "name"])
    table.writerows([row["to"], row["params"]["name"]] for row in rows)
    return text.getvalue().encode()


def _as_ndjson(rows: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def _as_json(rows: Iterable[dict[str, Any]]) -> bytes:
    return json.dumps({"template": "T", "messages": list(rows)}, ensure_ascii=False).encode()


def _json_rows(body: Body) -> Iterable[Given]:
    return JsonBatch(body).rows()


FORMATS = [(_as_csv, csv_rows), (_as_ndjson, ndjson_rows), (_as_json, _json_rows)]
Write = Callable[[Iterable[dict[str, Any]]], bytes]
Read = Callable[[Body], Iterable[Given]]


@pytest.mark.parametrize(("write", "read"), FORMATS)
@settings(max_examples=60, deadline=None)
@given(rows=ROWS, sizes=CUTS)
def test_however_the_bytes_are_cut_the_rows_are_the_same(
    write: Write, read: Read, rows: list[dict[str, Any]], sizes: list[int]
) -> None:
    raw = write(rows)
    found = list(read(_body(raw, sizes, len(raw), of_lines=True)))
    assert [one.fields for one in found] == rows
    assert [one.index for one in found] == list(range(len(rows)))


@pytest.mark.parametrize(("write", "read"), FORMATS)
@settings(max_examples=60, deadline=None)
@given(rows=ROWS, sizes=CUTS, where=st.floats(0, 1))
def test_a_body_that_ends_before_its_length_gives_whole_rows_and_an_error(
    write: Write, read: Read, rows: list[dict[str, Any]], sizes: list[int], where: float
) -> None:
    raw = write(rows)
    found: list[Given] = []
    with pytest.raises(InvalidMessage):
        found.extend(read(_body(raw[: int(where * (len(raw) - 1))], sizes, len(raw), of_lines=True)))
    assert [one.fields for one in found] == rows[: len(found)]


@pytest.mark.parametrize(("write", "read"), FORMATS[:2])
def test_without_a_length_the_last_line_must_be_whole(write: Write, read: Read) -> None:
    raw = write([{"to": "13800138000", "params": {"name": "n"}}, {"to": "13800138001", "params": {"name": "nn"}}])
    found: list[Given] = []
    with pytest.raises(InvalidMessage, match="within a line"):
        found.extend(read(_body(raw.rstrip(), of_lines=True)))
    assert [one.index for one in found] == [0]
    assert len(list(read(_body(raw.rstrip(), length=len(raw.rstrip()), of_lines=True)))) == 2
    assert len(list(read(_body(raw, of_lines=True)))) == 2


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbf" + _as_csv([{"to": "1", "params": {"name": "n"}}]).replace(b"\r", b"")])
def test_csv_may_begin_with_a_byte_order_mark_and_end_its_lines_either_way(raw: bytes) -> None:
    assert [one.fields for one in csv_rows(_body(raw))] == [{"to": "1", "params": {"name": "n"}}]


def test_ndjson_may_begin_with_a_byte_order_mark() -> None:
    assert [one.fields for one in ndjson_rows(_body(b'\xef\xbb\xbf{"to": "1"}\r\n\n{"to": "2"}'))] == [
        {"to": "1"},
        {"to": "2"},
    ]


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"phone,name\n1,n\n", "no column `to`"),
        (b"to,name,name\n1,n,n\n", "twice"),
        (b"to,first name\n1,n\n", "column 2"),
        (b"to,\n1,\n", "column 2"),
        (b"", "no column `to`"),
        ("to,name\n1,王\n".encode("gbk"), "save the file as UTF-8"),
        (b'to,name\n1,"n\n', "no CSV"),
        (b"to,name\n" + b"," * (LONGEST + 2), "longer"),
        (b"to,name\n" + b'"\n' + b'x"",\n' * LONGEST, "longer"),
    ],
)
def test_what_is_no_csv_of_rows_is_refused_with_the_fix(raw: bytes, match: str) -> None:
    with pytest.raises(InvalidMessage, match=match):
        list(csv_rows(_body(raw)))


def test_a_csv_row_of_too_many_or_too_few_values_is_named_and_the_others_go() -> None:
    found = list(csv_rows(_body(b"to,name\n1\n2,n,n\n\n3,n\n")))
    assert [one.error is None for one in found] == [False, False, True]
    assert [one.index for one in found] == [0, 1, 2]


@pytest.mark.parametrize("form", ["csv", "ndjson", "json"])
def test_thousands_of_names_in_one_row_take_no_second(form: str) -> None:
    """They did, and all other requests of the process waited for them."""
    names = [f"{place:x}" for place in range(7000)]
    row = "{" + ",".join(f'"{name}":1' for name in [*names, names[-1]]) + "}"
    raw = {
        "csv": ",".join(["to", *names, names[-1]]) + "\n1\n",
        "ndjson": row,
        "json": '{"template":"T","messages":[' + row + "]}",
    }[form].encode()
    began = time.process_time()
    with contextlib.suppress(InvalidMessage):
        (found,) = dict(zip(("csv", "ndjson", "json"), (read for _, read in FORMATS), strict=True))[form](_body(raw))
        assert found.error is not None
        assert "is given twice" in found.error.message
    assert time.process_time() - began < 0.4


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"1", b'{"a": 1, "a": 2}', b"\xff", b"[" * 5000, b'"' + b"x" * (LONGEST + 1) + b'"']
)
def test_a_line_that_is_no_row_is_named_and_the_others_go(line: bytes) -> None:
    found = list(ndjson_rows(_body(b'{"to": "1"}\n' + line + b'\n{"to": "2"}\n')))
    assert [one.error is None for one in found] == [True, False, True]


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"[]", "must be a JSON object"),
        (b'{"template": "T"}', "messages"),
        (b'{"messages": {}}', "list of rows"),
        (b'{"a": 1, "a": 2, "messages": []}', "twice"),
        (b'{"a": ' + b"[" * 5000, "within more than"),
        (b'{"a": "' + b"x" * 200_000, "longer"),
        (b"", "cut off"),
    ],
)
def test_a_head_that_is_none_is_refused_before_any_row(raw: bytes, match: str) -> None:
    with pytest.raises(InvalidMessage, match=match):
        JsonBatch(_body(raw))


@pytest.mark.parametrize(
    ("tail", "match"),
    [
        (b'], "x": 1} {', "x: must stand before messages"),
        (b", ]}", "mistake"),
        (b", " + b"[" * 5000, "within more than"),
        (b', {"to": "' + b"x" * 300_000, "longer"),
        (b"]} {}", "mistake|behind its end"),
        (b', {"to": ' + b"9" * 40 + b"}]}", "number"),
    ],
)
def test_what_breaks_among_the_rows_leaves_those_before(tail: bytes, match: str) -> None:
    read, found = JsonBatch(_body(b'{"template": "T", "messages": [{"to": "1"}' + tail)), list[Given]()
    with pytest.raises(InvalidMessage, match=match) as caught:
        found.extend(read.rows())
    assert read.head == {"template": "T"}
    assert [one.fields for one in found] in ([{"to": "1"}], [])
    assert isinstance(caught.value, Withdrawn) is (b'"x"' in tail)
