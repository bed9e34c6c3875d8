"""What may be seen of a text, and of a task's arguments."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from smsgate.message import Lane
from smsgate.phone import mask

# A mainland mobile number as libraries write it: with or without country code, in groups, inside a URL (after %3D)
# or an escaped text (after \\n); not inside a longer run of letters and digits, as an id or a time is.
_LOOSE_NUMBER: Final = re.compile(
    r"(?:(?<![0-9A-Za-z])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))"
    r"(?:(?:\+?86|0086)[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![0-9A-Za-z])"
)


def mask_text(text: str) -> str:
    """Mask every mainland mobile number in a text that somebody else wrote."""
    return _LOOSE_NUMBER.sub(lambda found: mask(found.group()), text)


def shown_arguments(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[str, str]:
    """Show number masked, template, and the parameters by name only; of anything else, its type.

    The arguments may be anything: another program wrote them.
    """
    names = ("to", "template", "params")
    positional = [_shown(name, value) for name, value in zip(names, args, strict=False)]
    named = [f"{mask_text(name)!r}: {_shown(name, value)}" for name, value in kwargs.items()]
    return f"({', '.join(positional)})", f"{{{', '.join(named)}}}"


def _shown(name: str, value: Any) -> str:
    match name, value:
        case "to", str():
            return repr(mask(value))
        case "template", str():
            return repr(mask_text(value))
        case "lane", str() if value in set(Lane):
            return repr(value)
        case "params", Mapping():
            return f"{{{', '.join(sorted(mask_text(str(one)) for one in value))}}}"
        case _:
            return f"<{type(value).__name__}>"
