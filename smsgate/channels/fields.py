"""How providers write text and times, in what they push and in what they answer."""

from datetime import datetime, timedelta, timezone
from typing import Any, Final

# Asia/Shanghai has had no other offset since 1991, and an image without tzdata has no such zone.
SHANGHAI: Final = timezone(timedelta(hours=8))
_TIME: Final = "%Y-%m-%d %H:%M:%S"


def milliseconds(time: Any) -> int | None:
    """Read a time, which is Shanghai's, as Unix milliseconds; None if it cannot be read."""
    try:
        return int(datetime.strptime(time, _TIME).replace(tzinfo=SHANGHAI).timestamp() * 1000)
    except (TypeError, ValueError):
        return None


def text(value: Any) -> str:
    """Give text that can be stored: numbers are written out, lone surrogates replaced, anything else is empty."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case bool():
            return ""
        case int():
            return str(value)
        case _:
            return ""
