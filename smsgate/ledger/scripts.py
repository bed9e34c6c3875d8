"""The Lua scripts: each file does one atomic act and is named for it; what several share is in `lua/functions`."""

import re
from functools import cache
from importlib.resources import files
from typing import Final

_USES: Final = re.compile(r"^-- Uses: (.+)$", re.MULTILINE)


@cache
def source(name: str) -> str:
    """Read `lua/NAME.lua`, with the functions that it names in its line `-- Uses: …` before it."""
    text = _text(f"{name}.lua")
    used = _USES.search(text)
    names = used[1].split(", ") if used else []
    return "\n".join([*(_text("functions", f"{one}.lua") for one in names), text])


def _text(*path: str) -> str:
    return files("smsgate.ledger").joinpath("lua", *path).read_text(encoding="utf-8")
