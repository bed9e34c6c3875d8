"""What may be seen of a task's arguments."""

from collections.abc import Mapping, Sequence
from typing import Any

from smsgate.phone import mask


def shown_arguments(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[str, str]:
    """Show number masked, template, and the parameters by name only; of anything else, its type.

    The arguments may be anything: another program wrote them.
    """
    names = ("to", "template", "params")
    positional = [_shown(name, value) for name, value in zip(names, args, strict=False)]
    named = [f"{name!r}: {_shown(name, value)}" for name, value in kwargs.items()]
    return f"({', '.join(positional)})", f"{{{', '.join(named)}}}"


def _shown(name: str, value: Any) -> str:
    match name, value:
        case "to", str():
            return repr(mask(value))
        case (("template" | "lane"), str()):
            return repr(value)
        case "params", Mapping():
            return f"{{{', '.join(sorted(map(str, value)))}}}"
        case _:
            return f"<{type(value).__name__}>"
