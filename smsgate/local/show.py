"""Messages in the terminal: the life of one, and dead letters."""

import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from smsgate.flow.report import moment
from smsgate.flow.submit import arguments
from smsgate.ledger.records import Record
from smsgate.masking import shown_arguments
from smsgate.message import Message

_STYLES: Final = {
    "delivered": "green",
    "sent": "cyan",
    "sending": "blue",
    "queued": "dim",
    "uncertain": "yellow",
    "undelivered": "red",
    "failed": "red",
    "rejected": "red",
    "expired": "red",
    "dead": "red",
}
_TOLD_APART: Final = ("at", "state")
# Columns of a table that goes into a pipe: nothing is folded there.
_WIDE: Final = 200


def print_timeline(console: Console, known: dict[str, Any]) -> None:
    """Print what `GET /v1/messages/{id}` answers: a line each event, with the time since acceptance."""
    table = Table(title=f"{known['id']}   {known.get('to', '')}   {known.get('template', '')}", title_justify="left")
    table.add_column("time")
    table.add_column("after", justify="right")
    table.add_column("state")
    table.add_column("what", overflow="fold")
    begin = datetime.fromisoformat(known["accepted_at"])
    for event in known["timeline"]:
        at = datetime.fromisoformat(event["at"])
        table.add_row(
            at.astimezone().strftime("%H:%M:%S.%f")[:-3],
            f"{(at - begin).total_seconds() * 1000:,.0f} ms",
            f"[{_STYLES.get(event['state'], 'default')}]{event['state']}[/]",
            escape("  ".join(f"{name} {value}" for name, value in event.items() if name not in _TOLD_APART)),
        )
    console.print(table)


def wide_console() -> Console:
    """Give a console as wide as its terminal, and wide enough for every table where there is none."""
    return Console() if sys.stdout.isatty() or "COLUMNS" in os.environ else Console(width=_WIDE)


def print_letters(console: Console, letters: Sequence[Record]) -> None:
    """Print dead letters, a line each."""
    table = Table()
    for name in ("id", "died", "lane", "template", "reason"):
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    table.add_column("attempts", justify="right")
    for one in letters:
        template = one.message.template if one.message else ""
        died, reason = moment(one.timeline[-1].at), one.reason or ""
        table.add_row(one.id, died, one.lane, escape(template), escape(reason), str(one.attempts))
    console.print(table)


def print_arguments(console: Console, message: Message, *, reveal: bool) -> None:
    """Print what a message was sent with, number masked and parameters by name only unless all is to be revealed."""
    args, kwargs = arguments(message)
    shown = shown_arguments(args, kwargs)
    if reveal:
        shown = (json.dumps(args, ensure_ascii=False), json.dumps(kwargs, ensure_ascii=False))
    console.print(f"arguments {shown[0]} {shown[1]}", markup=False, highlight=False, soft_wrap=True)
