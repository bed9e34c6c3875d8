"""`smsgate lanes`: see, pause and resume the lanes."""

import click
from rich.markup import escape
from rich.table import Table

from smsgate.flow.clock import system_clock
from smsgate.flow.report import moment
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.lanes import By, Lanes, Pause
from smsgate.ledger.outbox import Outbox
from smsgate.ledger.schedule import Schedule
from smsgate.local.show import wide_console
from smsgate.message import Lane
from smsgate.settings import current

_LANE = click.Choice([lane.value for lane in Lane])


@click.group(invoke_without_command=True)
@click.pass_context
def lanes(context: click.Context) -> None:
    """Show the lanes: tasks in the queue, messages kept back by a pause, who paused it and why."""
    if context.invoked_subcommand is None:
        _print()


@lanes.command("pause")
@click.argument("lane", type=_LANE)
@click.option("--reason", default="", help="Why, for whoever looks at it next.")
def pause_lane(lane: str, reason: str) -> None:
    """Keep a lane's messages back, unharmed, until it is resumed; what is accepted meanwhile waits too."""
    _lanes().pause(Lane(lane), Pause(By.HAND, reason, system_clock()))
    click.echo(f"{lane} is paused. Its messages still expire: `smsgate lanes resume {lane}` lets them go.")


@lanes.command("resume")
@click.argument("lane", type=_LANE)
def resume_lane(lane: str) -> None:
    """Let a lane go on, whoever paused it."""
    if _lanes().resume(Lane(lane)):
        click.echo(f"{lane} goes on.")
    else:
        click.echo(f"{lane} was not paused.")


def _lanes() -> Lanes:
    return Lanes(connect_briefly(current().redis_url))


def _print() -> None:
    client = connect_briefly(current().redis_url)
    pauses, schedule = Lanes(client).pauses(), Schedule(client)
    # What a broker of its own holds is noted while somebody hands on to it.
    unknown = " + ?" if current().has_own_broker and not Outbox(client).at_broker() else ""
    table = Table("lane", "queued", "parked", "paused by", "why", "since")
    for lane in Lane:
        queued, parked = schedule.counts(lane)
        pause = pauses.get(lane)
        paused = (pause.by, escape(pause.reason), moment(pause.at)) if pause else ("", "", "")
        table.add_row(lane, f"{queued:,}{unknown}", f"{parked:,}", *paused)
    wide_console().print(table)
