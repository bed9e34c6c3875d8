"""Reading a push of a provider: one body with many entries, of which each stands or falls by itself."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from smsgate.errors import SmsgateError

T = TypeVar("T")


class UnusablePush(SmsgateError):
    """The body as a whole is no push of the provider; the text says why and holds nothing of the body."""


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """What a push held: the entries that can be used, and a stable word for each that cannot."""

    entries: tuple[T, ...]
    unusable: tuple[str, ...]


class Unusable(Exception):
    """One entry cannot be used; its text is a stable word. It never leaves `read_each`."""


def entries_of(body: bytes) -> list[Any]:
    try:
        pushed = json.loads(body)
    except (ValueError, RecursionError):
        raise UnusablePush("the push is not JSON") from None
    match pushed:
        case list():
            return pushed
        case dict():
            return [pushed]
        case _:
            raise UnusablePush("the push is neither a JSON array nor an object")


def read_each(entries: list[Any], read: Callable[[dict[str, Any]], T]) -> Parsed[T]:
    usable: list[T] = []
    unusable: list[str] = []
    for entry in entries:
        try:
            usable.append(read(_object(entry)))
        except Unusable as why:
            unusable.append(str(why))
    return Parsed(tuple(usable), tuple(unusable))


def _object(entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise Unusable("not_an_object")
    return entry
