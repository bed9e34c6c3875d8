"""CSV: a header row, then a row a message."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import IO, Any, Final

from smsgate.errors import FieldError, InvalidMessage
from smsgate.flow.submit_batch import Given

# The columns that are no variables of the template.
_OWN: Final = ("to", "reference")
# Characters of one value, above what any field may have.
_LONGEST: Final = 64 * 1024


def csv_rows(stream: IO[bytes]) -> Iterator[Given]:
    """Read rows: the column `to`, perhaps `reference`; every other is a variable of the template.

    Raises:
        InvalidMessage: The header has no `to`, or names a column twice; or the text is no UTF-8, or no CSV.
    """
    csv.field_size_limit(_LONGEST)
    text = io.TextIOWrapper(io.BufferedReader(_Input(stream)), encoding="utf-8-sig", newline="")
    lines = csv.reader(text, strict=True)
    try:
        header = next(lines, None)
        columns = _columns(header or [])
        filled = (values for values in lines if values)
        for index, values in enumerate(filled):
            yield _given(index, columns, values)
    except csv.Error as error:
        raise _wrong(f"is no CSV at line {lines.line_num}: {error}") from None
    except UnicodeDecodeError:
        raise _wrong(f"is not UTF-8 after line {lines.line_num}") from None


class _Input(io.RawIOBase):
    """A WSGI input as Python's text layer wants it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def _columns(header: Sequence[str]) -> list[str]:
    names = [name.strip() for name in header]
    if "to" not in names:
        raise _wrong("has no column `to` in its header row; the first line names the columns, such as to,name,order")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _wrong(f"names the column {twice!r} twice in its header row")
    return names


def _given(index: int, columns: Sequence[str], values: Sequence[str]) -> Given:
    if len(values) != len(columns):
        what = f"has {len(values)} values; its header names {len(columns)} columns"
        return Given(index, None, FieldError("row", what))
    known = dict(zip(columns, values, strict=True))
    fields: dict[str, Any] = {"to": known["to"].strip()}
    if known.get("reference"):
        fields["reference"] = known["reference"]
    fields["params"] = {name: value for name, value in known.items() if name not in _OWN}
    return Given(index, fields)


def _wrong(what: str) -> InvalidMessage:
    return InvalidMessage([FieldError("body", what)])
