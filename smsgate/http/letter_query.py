"""Read which dead letters a request means: the parameters of a list, and the body of a replay."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from smsgate.errors import FieldError
from smsgate.flow.replay import FASTEST, PAGE, SLOWEST
from smsgate.http.problems import bad_request
from smsgate.ledger.dead_letters import Cursor, Filter
from smsgate.message import MESSAGE_ID, Lane, MessageId

_FILTERS: Final = ("reason", "template", "lane", "since", "until")
_LIST: Final = (*_FILTERS, "limit", "cursor")
_REPLAY: Final = ("ids", "all", *_LIST, "rate")
# Letters on a page where the request does not say.
_PAGE: Final = 100
_LONGEST: Final = 200
_ID: Final = re.compile(MESSAGE_ID)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which letters, and which page of them."""

    which: Filter
    limit: int
    cursor: Cursor | None


@dataclass(frozen=True, slots=True)
class ReplayQuery:
    """Which letters are to be replayed, by their ids or else by a filter, and how many a second."""

    ids: tuple[MessageId, ...]
    listed: ListQuery
    rate: float | None


def list_query(given: Mapping[str, str], client: str) -> ListQuery:
    """Read the parameters of `GET /v1/dead-letters`.

    Raises:
        Problem: It names each parameter that is wrong, and the fix (422).
    """
    fields = _Fields(given)
    fields.refuse_others(_LIST)
    query = _listed(fields, client, _PAGE)
    fields.insist()
    return query


def replay_query(given: Mapping[str, Any], client: str) -> ReplayQuery:
    """Read the body of `POST /v1/dead-letters/replay`.

    Raises:
        Problem: It names each field that is wrong, and the fix (422).
    """
    fields = _Fields(given)
    fields.refuse_others(_REPLAY)
    ids = fields.read("ids", _ids) or ()
    every = fields.read("all", _yes)
    rate = fields.read("rate", _rate)
    _insist_on_one_choice(fields, every=bool(every))
    query = ReplayQuery(ids, _listed(fields, client, PAGE), rate)
    fields.insist()
    return query


@dataclass(frozen=True, slots=True)
class _Fields:
    """What came, and what is wrong with it."""

    given: Mapping[str, Any]
    errors: list[FieldError] = field(default_factory=list)

    def read(self, name: str, parse: Callable[[Any], T]) -> T | None:
        """Parse one field; None where it was not given, or cannot be understood."""
        if self.given.get(name) is None:
            return None
        try:
            return parse(self.given[name])
        except ValueError as error:
            self.errors.append(FieldError(name, str(error)))
            return None

    def refuse_others(self, known: tuple[str, ...]) -> None:
        for name in self.given:
            if name not in known:
                named = name.encode("utf-8", "backslashreplace").decode()
                self.errors.append(FieldError(named, f"is not known here; known are {', '.join(known)}"))

    def insist(self) -> None:
        if self.errors:
            raise bad_request(self.errors)


def _listed(fields: _Fields, client: str, limit: int) -> ListQuery:
    which = Filter(
        reason=fields.read("reason", _text),
        template=fields.read("template", _text),
        lane=fields.read("lane", _lane),
        client=client,
        since=fields.read("since", moment_of),
        until=fields.read("until", moment_of),
    )
    return ListQuery(which, fields.read("limit", _limit) or limit, fields.read("cursor", _cursor))


def _insist_on_one_choice(fields: _Fields, *, every: bool) -> None:
    given = {name for name, value in fields.given.items() if value is not None}
    filters = [name for name in _FILTERS if name in given]
    if "ids" in given:
        more = sorted(given & {*_LIST, "all"})
        fields.errors.extend(FieldError(name, "does not go with ids; give either") for name in more)
    elif every and filters:
        fields.errors.append(FieldError("all", f"does not go with {', '.join(filters)}; give either"))
    elif not every and not filters and not fields.errors:
        names = ", ".join(_FILTERS)
        fields.errors.append(FieldError("ids", f'give ids, or a filter ({names}), or "all": true for every letter'))


def moment_of(written: Any) -> int:
    """Read a time with its zone as Unix milliseconds.

    Raises:
        ValueError: It is none; the text says how to write one.
    """
    hint = "; in a URL write + as %2B" if isinstance(written, str) and " " in written else ""
    wrong = ValueError(f"must be a time with its zone in ISO 8601, such as 2026-12-24T18:00:00+08:00{hint}")
    try:
        moment = datetime.fromisoformat(written)
        milliseconds = int(moment.astimezone(UTC).timestamp() * 1000)
    except (ValueError, TypeError, OverflowError):
        raise wrong from None
    if moment.tzinfo is None:
        raise wrong
    return milliseconds


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise ValueError(f"must be a text of 1 to {_LONGEST} characters")
    return value


def _lane(value: Any) -> Lane:
    if value not in list(Lane):
        raise ValueError(f"must be one of {', '.join(Lane)}")
    return Lane(value)


def _limit(value: Any) -> int:
    digits = value if isinstance(value, str) and len(value) < len(str(PAGE)) + 1 else ""
    number = int(digits) if digits.isdecimal() else value
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= PAGE:
        raise ValueError(f"must be a whole number from 1 to {PAGE}")
    return number


def _rate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not SLOWEST <= value <= FASTEST:
        raise ValueError(f"must be a number of messages per second from {SLOWEST} to {FASTEST:.0f}")
    return float(value)


def _cursor(value: Any) -> Cursor:
    return Cursor.read(value if isinstance(value, str) else "")


def _yes(value: Any) -> bool:
    if value is not True:
        raise ValueError("must be true where it is given")
    return True


def _ids(value: Any) -> tuple[MessageId, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= PAGE:
        raise ValueError(f"must be a list of 1 to {PAGE} ids of messages")
    for one in value:
        if not isinstance(one, str) or not _ID.fullmatch(one):
            raise ValueError("holds what is no id of a message; an id has 1 to 64 letters, digits, _ or -")
    return tuple(map(MessageId, value))
