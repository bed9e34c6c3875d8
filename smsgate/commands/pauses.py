"""`smsgate pause`, `resume` and `pauses`: hold messages back by hand."""

import click
from rich.markup import escape
from rich.table import Table

from smsgate.flow.pausing import Pausing, What
from smsgate.flow.report import moment
from smsgate.ledger.channel_standings import ChannelStandings
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.lanes import Lanes
from smsgate.ledger.pauses import Pauses
from smsgate.local.show import wide_console
from smsgate.settings import current

_WHAT = click.Choice([what.value for what in What])


@click.command()
@click.argument("what", type=_WHAT)
@click.argument("name")
@click.option("--reason", default="", help="Why, for whoever looks at it next.")
def pause(what: str, name: str, reason: str) -> None:
    """Keep the messages of a lane, a client, a template or a channel back, unharmed, until it is resumed."""
    _pausing().pause(What(what), name, reason)
    click.echo(f"{what} {name} is paused. Its messages still expire: `smsgate resume {what} {name}` lets them go.")


@click.command()
@click.argument("what", type=_WHAT)
@click.argument("name")
def resume(what: str, name: str) -> None:
    """Let a lane, a client, a template or a channel go on, whoever paused it."""
    was = _pausing().resume(What(what), name)
    click.echo(f"{what} {name} {'goes on' if was else 'was not paused'}.")


@click.command()
def pauses() -> None:
    """List all that is paused: by whom, why and since when."""
    table = Table("what", "name", "paused by", "why", "since")
    for one in _pausing().all():
        table.add_row(one.what, one.name, one.pause.by, escape(one.pause.reason), moment(one.pause.at))
    wide_console().print(table)


def _pausing() -> Pausing:
    client = connect_briefly(current().redis_url)
    return Pausing(Lanes(client), Pauses(client), ChannelStandings(client))
