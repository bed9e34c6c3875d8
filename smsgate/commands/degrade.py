"""`smsgate degrade`: see how far the gateway is degraded, and set the level by hand."""

import click
from rich.markup import escape
from rich.table import Table

from smsgate.flow.clock import system_clock
from smsgate.flow.degrade import fix
from smsgate.flow.report import moment
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.degradations import Degradations
from smsgate.local.show import wide_console
from smsgate.routing.degradation import Level
from smsgate.settings import current

_AUTO = "auto"


@click.command()
@click.argument("level", required=False, type=click.Choice([*(str(int(level)) for level in Level), _AUTO]))
@click.option("--reason", default="", help="Why, for whoever looks at it next.")
def degrade(level: str | None, reason: str) -> None:
    """Show the level of degradation and its latest changes; with LEVEL set it, with auto leave it to the rule.

    0 normal; 1 bulk messages stand still; 2 also notices trickle, and batches are refused; 3 only codes.
    """
    levels = Degradations(connect_briefly(current().redis_url))
    if level is None:
        _print(levels)
        return
    state = fix(levels, None if level == _AUTO else Level(int(level)), reason, system_clock())
    until = "until `smsgate degrade auto`" if state.fixed else "by the rule"
    click.echo(f"level {state.level:d} {state.level.label}, {until}")


def _print(levels: Degradations) -> None:
    state = levels.read().state
    level = state.level_at(system_clock())
    by = "by hand" if state.fixed else "by the rule"
    since = f" since {moment(state.since)}" if state.since else ""
    why = f": {state.why}" if state.why and level is state.level else ""
    click.echo(f"level {level:d} {level.label}, {by}{since}{why}")
    changes = levels.changes()
    if changes:
        table = Table("at", "from", "to", "by", "why")
        for one in changes:
            table.add_row(
                moment(one.at), f"{one.before:d}", f"{one.after:d} {one.after.label}", one.by, escape(one.why)
            )
        wide_console().print(table)
