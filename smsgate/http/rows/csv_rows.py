"""CSV: a header row, then a row a message."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from smsgate.errors import FieldError, InvalidMessage
from smsgate.flow.write_rows import Given
from smsgate.http.rows.body import Body
from smsgate.http.rows.unique import named_twice

# The columns that are no variables of the template.
_OWN: Final = ("to", "reference")
# Characters of one row; the longest that keeps to the limits of its fields is far below.
LONGEST: Final = 64 * 1024
_VARIABLE: Final = re.compile(r"\w{1,64}")


def csv_rows(body: Body) -> Iterator[Given]:
    """Read rows: the column `to`, perhaps `reference`; every other is a variable of the template.

    Raises:
        InvalidMessage: The header has no `to`, names a column twice, or one that can be no variable; or the text is no
            UTF-8, or no CSV; or a row has no end in sight.
    """
    csv.field_size_limit(LONGEST)
    text = _Lines(io.TextIOWrapper(io.BufferedReader(_Input(body)), encoding="utf-8-sig", newline=""))
    lines = csv.reader(text, strict=True)
    try:
        columns = _columns(next(lines, []))
        index = 0
        for values in lines:
            text.begin()
            if values:
                yield _given(index, columns, values)
                index += 1
    except csv.Error as error:
        raise _wrong(f"is no CSV at line {lines.line_num}: {error}") from None
    except UnicodeDecodeError:
        where = f" after line {lines.line_num}" if lines.line_num else ""
        raise _wrong(f"is not UTF-8{where}; save the file as UTF-8 (in Excel: CSV UTF-8)") from None


class _Input(io.RawIOBase):
    """A body as Python's text layer wants it."""

    def __init__(self, body: Body) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._body.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


class _Lines:
    """The lines of a text, which refuses to be read for ever within one row."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.begin()

    def begin(self) -> None:
        self._left = LONGEST

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise InvalidMessage([FieldError("row", f"is longer than {LONGEST:,} characters; shorten it")])
        if not line:
            raise StopIteration
        return line


def _columns(header: Sequence[str]) -> list[str]:
    names = [name.strip() for name in header]
    if "to" not in names:
        raise _wrong("has no column `to` in its header row; the first line names the columns, such as to,name,order")
    twice = named_twice(names)
    if twice is not None:
        raise _wrong(f"names the column {twice!r} twice in its header row")
    wrong = next((place for place, name in enumerate(names, 1) if not _VARIABLE.fullmatch(name)), None)
    if wrong is not None:
        raise _wrong(f"column {wrong} of its header row is no name of a variable: letters, digits and _, up to 64")
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
