"""Times as an operator writes them."""

import re
import time
from datetime import UTC, datetime
from typing import Final

import click

_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}


def when(_context: click.Context, _option: click.Parameter, written: str | None) -> int | None:
    """Read an option's time as Unix milliseconds: `2h` is two hours ago, a time without zone is in this machine's.

    Raises:
        BadParameter: It is neither; the text says how to write one.
    """
    if written is None:
        return None
    ago = _AGO.fullmatch(written)
    if ago:
        return int((time.time() - int(ago[1]) * _SECONDS[ago[2]]) * 1000)
    try:
        return int(datetime.fromisoformat(written).astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise click.BadParameter("write 30m, 2h or 7d for so long ago, or a time such as 2026-12-24T18:00") from None
