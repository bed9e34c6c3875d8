"""What may be seen of a text, and of a task's arguments."""

import re
from collections.abc import Mapping
from typing import Any, Final

from smsgate.message import Lane
from smsgate.phone import mask

# A mainland mobile number as libraries write it: with or without country code, in groups, inside a URL (after %3D)
# or an escaped text (after \\n); not inside a longer run of letters and digits, as an id or a time is.
_LOOSE_NUMBER: Final = re.compile(
    r"(?:(?<![0-9A-Za-z])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))"
    r"(?:(?:\+?86|0086)[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![0-9A-Za-z])"
)
_SHORTEST_NUMBER: Final = 11
_LANES: Final = frozenset(Lane)


def mask_text(text: str) -> str:
    """Mask every mainland mobile number in a text that somebody else wrote."""
    if len(text) < _SHORTEST_NUMBER:
        return text
    return _LOOSE_NUMBER.sub(lambda found: mask(found.group()), text)


def shown_arguments(args: Any, kwargs: Any) -> tuple[str, str]:
    """Show number masked, template, and the parameters by name only; of anything else, its type.

    The arguments may be anything, a list where an object belongs included: another program wrote them. A worker shows
    them before it looks at them, so an error here would end the worker, and the next one that takes the task.
    """
    return _positional(args), _named(kwargs)


def _positional(args: Any) -> str:
    if not isinstance(args, list | tuple):
        return f"<{type(args).__name__}>"
    names = ("to", "template", "params")
    return f"({', '.join([_shown(name, value) for name, value in zip(names, args, strict=False)])})"


def _named(kwargs: Any) -> str:
    if not isinstance(kwargs, Mapping):
        return f"<{type(kwargs).__name__}>"
    named = (f"{mask_text(str(name))!r}: {_shown(name, value)}" for name, value in kwargs.items())
    return f"{{{', '.join(named)}}}"


def _shown(name: Any, value: Any) -> str:
    match name, value:
        case "to", str():
            return repr(mask(value))
        case "template", str():
            return repr(mask_text(value))
        case "lane", str() if value in _LANES:
            return repr(value)
        case "params", dict() | Mapping():  # the first is quick to tell
            return f"{{{', '.join(sorted([mask_text(str(one)) for one in value]))}}}"
        case _:
            return f"<{type(value).__name__}>"
