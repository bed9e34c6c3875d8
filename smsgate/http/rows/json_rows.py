"""JSON: one object, whose last member `messages` is the list of rows."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Final

import ijson
from ijson.common import IncompleteJSONError, JSONError

from smsgate.errors import FieldError, InvalidMessage
from smsgate.flow.submit_batch import Withdrawn
from smsgate.flow.write_rows import Given, given
from smsgate.http.rows.body import Body
from smsgate.http.rows.halves import Halves
from smsgate.http.rows.unique import named_twice, shown, unique

# Bytes of the batch's own fields, and of one row; the longest that keep to their limits are far below.
LONGEST: Final = 64 * 1024
_PIECE: Final = 64 * 1024
# Values within values; a message has two.
_DEEPEST: Final = 20
_ROWS: Final = "messages"
Event = tuple[str, Any]


class JsonBatch:
    """A batch as one JSON object: `head` are its own fields, which come before its rows."""

    def __init__(self, body: Body) -> None:
        """Read up to the first row.

        Raises:
            InvalidMessage: It is no JSON object, or has no `messages`.
        """
        self._measured = _Measured(body)
        self._halves = Halves(self._measured.read)
        self._events: Iterator[Event] = iter(ijson.basic_parse(self._halves, use_float=True))
        self.head = self._read_head()

    def rows(self) -> Iterator[Given]:
        """Read the rows.

        Raises:
            Withdrawn: The batch has fields behind its rows: those read so far were not meant as they were taken.
            InvalidMessage: What follows is no JSON.
        """
        for index in count():
            kind, value = self._next()
            if kind == "end_array":
                break
            self._measured.begin()
            yield _given(index, _value(self._next, kind, value))
        kind, name = self._next()
        if kind != "end_map":
            raise Withdrawn([FieldError(shown(name)[:100], "must stand before messages, which is the last member")])
        if self._event() is not None:
            raise _wrong("goes on behind its end")

    def _read_head(self) -> dict[str, Any]:
        if self._next()[0] != "start_map":
            raise _wrong("must be a JSON object with template and messages")
        pairs: list[tuple[str, Any]] = []
        while (member := self._next())[0] != "end_map":
            kind, value = self._next()
            if member[1] == _ROWS:
                if kind != "start_array":
                    raise InvalidMessage([FieldError(_ROWS, "must be a list of rows")])
                return unique(pairs)
            pairs.append((member[1], _value(self._next, kind, value)))
        raise InvalidMessage([FieldError(_ROWS, "is required; give the list of rows as the last member")])

    def _next(self) -> Event:
        event = self._event()
        if event is None:
            raise _wrong("ends too early")
        return event

    def _event(self) -> Event | None:
        try:
            event = next(self._events, None)
        except InvalidMessage:
            raise  # the body's own, which are ValueErrors too
        except IncompleteJSONError:
            raise _wrong(
                "is no complete JSON in UTF-8: it was cut off, or has a mistake, or a number without end"
            ) from None
        except (JSONError, ValueError):
            raise _wrong("is not JSON in UTF-8") from None
        return (event[0], self._halves.restored(event[1])) if event and self._halves.found else event


class _Measured:
    """A stream that refuses to be read for ever within one row."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self.begin()

    def begin(self) -> None:
        # A row may begin at the end of what was read for the one before.
        self._left = LONGEST + _PIECE

    def read(self, size: int = -1) -> bytes:
        if size == 0:  # by which ijson finds out whether it reads bytes or text
            return b""
        if self._left <= 0:
            raise _TooLong([FieldError("row", f"is longer than {LONGEST:,} bytes; shorten it")])
        piece = self._body.read(_PIECE)
        self._left -= len(piece)
        return piece


class _TooLong(InvalidMessage):
    """A row has no end in sight."""


class _Twice:
    """An object that names a key twice."""

    def __init__(self, name: str) -> None:
        self.error = FieldError(shown(name), "is given twice; give it once")


def _value(following: Callable[[], Event], kind: str, value: Any, depth: int = 0) -> Any:
    """Build a value of the events that make it."""
    if depth > _DEEPEST:
        raise _wrong(f"has values within more than {_DEEPEST} others; a row has none deeper than params")
    if kind == "start_map":
        pairs = []
        while (member := following())[0] != "end_map":
            pairs.append((member[1], _value(following, *following(), depth=depth + 1)))
        return _object(pairs)
    if kind == "start_array":
        items = []
        while (item := following())[0] != "end_array":
            items.append(_value(following, *item, depth=depth + 1))
        return items
    return value


def _object(pairs: list[tuple[str, Any]]) -> "dict[str, Any] | _Twice":
    twice = named_twice(name for name, _ in pairs)
    return dict(pairs) if twice is None else _Twice(twice)


def _given(index: int, row: Any) -> Given:
    match row:
        case _Twice():
            return Given(index, None, row.error)
        case dict():
            twice = next((value for value in row.values() if isinstance(value, _Twice)), None)
            return Given(index, None, twice.error) if twice else Given(index, row)
        case _:
            return given(index, row)


def _wrong(what: str) -> InvalidMessage:
    return InvalidMessage([FieldError("body", what)])
