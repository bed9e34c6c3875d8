"""Limits as the terminal shows them."""

import io

from rich.console import Console

from smsgate.commands.limits import shown

CODES = {
    "name": "codes",
    "per": ["recipient", "sign"],
    "allow": "5/hour",
    "algorithm": "sliding_log",
    "counts": "messages",
}
ALL = {"name": "all", "per": [], "allow": "100000/day", "algorithm": "fixed_window", "counts": "requests"}


def test_a_table_shows_what_is_declared_and_what_is_known_to_be_used() -> None:
    out = io.StringIO()
    stands = {"used": 1200, "remaining": 98800, "reset": 21600}
    Console(file=out, width=200).print(shown([CODES, {**ALL, **stands}]))
    codes, everything = (line.replace("│", "").split() for line in out.getvalue().splitlines() if "│" in line)
    assert codes == ["codes", "recipient,", "sign", "5/hour", "sliding_log", "messages"]
    assert everything[1:] == [
        "all",
        "together",
        "100000/day",
        "fixed_window",
        "requests",
        "1,200",
        "98,800",
        "in",
        "21,600",
        "s",
    ]
