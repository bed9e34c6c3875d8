"""NDJSON: a row a line."""

import json
from collections.abc import Iterator
from typing import Final

from smsgate.errors import FieldError, InvalidMessage
from smsgate.flow.write_rows import Given, given
from smsgate.http.rows.body import Body
from smsgate.http.rows.unique import unique

# Bytes. The longest row that keeps to the limits of its fields is far below.
LONGEST: Final = 64 * 1024
_PIECE: Final = 64 * 1024


def ndjson_rows(body: Body) -> Iterator[Given]:
    """Read rows; empty lines are none. A line that is no row is given with what is wrong with it."""
    index = 0
    for line in _lines(body):
        if line is None or line.strip():
            yield _given(index, line)
            index += 1


def _lines(body: Body) -> Iterator[bytes | None]:
    """Cut a stream into lines; one that is too long is None."""
    rest, too_long = b"", False
    while piece := body.read(_PIECE):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield None if too_long else line
            too_long = False
        if len(rest) > LONGEST:
            rest, too_long = b"", True
    if rest or too_long:
        yield None if too_long else rest


def _given(index: int, line: bytes | None) -> Given:
    if line is None or len(line) > LONGEST:
        return Given(index, None, FieldError("row", f"is longer than {LONGEST:,} bytes; shorten it"))
    try:
        known = json.loads(line.decode("utf-8-sig" if index == 0 else "utf-8"), object_pairs_hook=unique)
    except InvalidMessage as error:
        return Given(index, None, error.errors[0])
    except (ValueError, RecursionError):
        return Given(index, None, FieldError("row", "is not JSON in UTF-8; write one object a line"))
    return given(index, known)
