"""The Lua scripts: each file does one atomic act and is named for it."""

from functools import cache
from importlib.resources import files


@cache
def source(name: str) -> str:
    """Read `lua/NAME.lua`."""
    return files("smsgate.ledger").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
