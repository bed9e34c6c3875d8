"""An object that names a key twice is refused: readers of JSON differ in which one they take."""

from collections.abc import Iterable
from typing import Any

from smsgate.errors import FieldError, InvalidMessage


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object of its pairs, for `json.loads(…, object_pairs_hook=unique)`.

    Raises:
        InvalidMessage: A key comes twice.
    """
    known = dict(pairs)
    twice = named_twice(name for name, _ in pairs) if len(known) < len(pairs) else None
    if twice is not None:
        raise InvalidMessage([FieldError(shown(twice), "is given twice; give it once")])
    return known


def named_twice(names: Iterable[str]) -> str | None:
    """Find the first name that has come before; in one pass, as a row may have ten thousand."""
    known: set[str] = set()
    for name in names:
        if name in known:
            return name
        known.add(name)
    return None


def shown(name: str) -> str:
    """Write a name so that an answer can hold it: of half a surrogate pair, its escape."""
    return name.encode("utf-8", "backslashreplace").decode()
