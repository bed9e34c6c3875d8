"""`smsgate limits`: what is let through at the door, and how much of it is used."""

from collections.abc import Iterable, Mapping
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from smsgate.ledger.connection import connect_briefly
from smsgate.local.show import wide_console
from smsgate.message import Lane
from smsgate.parts import admit_in
from smsgate.phone import parse
from smsgate.settings import current


@click.command()
@click.option("--client", help='What this client has used; "" is who sends by .delay() or the command line.')
@click.option("--to", metavar="NUMBER", help="What this number has used.")
@click.option("--template", help="What this template has used.")
@click.option("--sign", help="What this sign has used.")
@click.option("--lane", type=click.Choice([lane.value for lane in Lane]), help="What this lane has used.")
def limits(client: str | None, to: str | None, template: str | None, sign: str | None, lane: str | None) -> None:
    """Show the declared limits; with the options that a limit is per, what is left of it."""
    admit = admit_in(connect_briefly(current().redis_url), current())
    if admit is None:
        click.echo("No limits are declared.")
        return
    from smsgate.flow.report_limits import About, report_limits  # noqa: PLC0415 - where there are limits

    about = About(client, parse(to) if to else None, template, sign, Lane(lane) if lane else None)
    wide_console().print(shown(report_limits(admit, about)))


def shown(report: Iterable[Mapping[str, Any]]) -> Table:
    """Lay out what is told of limits as a table."""
    table = Table("name", "per", "allow", "algorithm", "counts", "used", "left", "reset")
    for one in report:
        table.add_row(*map(escape, _row(one)))
    return table


def _row(limit: Mapping[str, Any]) -> list[str]:
    stands = [f"{limit[name]:,}" if name in limit else "" for name in ("used", "remaining")]
    per = ", ".join(limit["per"]) or "all together"
    reset = f"in {limit['reset']:,} s" if "reset" in limit else ""
    return [limit["name"], per, limit["allow"], limit["algorithm"], limit["counts"], *stands, reset]
