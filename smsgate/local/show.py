"""A message's life as a table in the terminal."""

from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table

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
            "  ".join(f"{name} {value}" for name, value in event.items() if name not in _TOLD_APART),
        )
    console.print(table)
