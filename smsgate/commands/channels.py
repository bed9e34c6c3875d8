"""`smsgate channels`: see, check, pause and probe the ways to the providers."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live

from smsgate.commands.channels_check import check
from smsgate.commands.channels_hand import close, open_by_hand, pause, resume
from smsgate.commands.channels_route import route
from smsgate.commands.channels_table import channels_table, events_table
from smsgate.config_file import ConfigFile
from smsgate.errors import StoreUnavailable
from smsgate.flow.report_channels import report_channels, report_events
from smsgate.ledger.channel_health import ChannelHealth
from smsgate.ledger.channel_states import ChannelStates
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.pacing import Pacer
from smsgate.local.show import wide_console
from smsgate.settings import current

Known = Mapping[str, Sequence[Mapping[str, Any]]]


@click.group(invoke_without_command=True)
@click.option("--by-carrier", is_flag=True, help="A row more for each carrier, codes and the rest apart.")
@click.option("--events", is_flag=True, help="What became of breakers lately, the latest first.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one object, on one line.")
@click.option(
    "--watch",
    type=click.FloatRange(min=0.2),
    is_flag=False,
    flag_value=2.0,
    metavar="[SECONDS]",
    help="Look again every 2 seconds, or as many as you say, until Ctrl-C.",
)
@click.pass_context
def channels(context: click.Context, by_carrier: bool, events: bool, as_json: bool, watch: float | None) -> None:
    """Show the channels: how each stands, its weight, how its calls end and how fast it may be called."""
    if context.invoked_subcommand is not None:
        return
    look = _Look(events=events)
    try:
        if as_json:
            _print_json(look, watch)
        elif watch is None:
            wide_console().print(_laid_out(look(), by_carrier=by_carrier))
        else:
            _print_live(look, watch, by_carrier=by_carrier)
    except KeyboardInterrupt:
        sys.exit(0 if watch else 130)


for command in (check, pause, resume, open_by_hand, close, route):
    channels.add_command(command)


class _Look:
    """Looks at Redis, and at the file where it has changed."""

    def __init__(self, *, events: bool) -> None:
        settings = current()
        client = connect_briefly(settings.redis_url)
        self._file = ConfigFile(settings)
        rule = self._file.current.breaker
        self._states, self._health = ChannelStates(client, rule), ChannelHealth(client, rule)
        self._pacer = Pacer(client)
        self._events = events

    def __call__(self) -> Known:
        """Tell what an operator asked for.

        Raises:
            StoreUnavailable: Redis is away.
        """
        self._file.changed()
        if self._events:
            return {"events": report_events(self._states.events())}
        return {"channels": report_channels(self._file.current.channels, self._states, self._health, self._pacer)}


def _laid_out(known: Known, *, by_carrier: bool) -> Any:
    if "events" in known:
        return events_table(known["events"])
    return channels_table(known["channels"], by_carrier=by_carrier)


def _print_json(look: _Look, every: float | None) -> None:
    """Print an object, and one more each time it is looked again."""
    while True:
        click.echo(json.dumps(look(), ensure_ascii=False))
        if every is None:
            return
        time.sleep(every)


def _print_live(look: _Look, every: float, *, by_carrier: bool) -> None:
    """Show the table anew until Ctrl-C; while Redis is away the last one stays."""
    shown = _laid_out(look(), by_carrier=by_carrier)
    console = Console() if sys.stdout.isatty() else wide_console()
    with Live(shown, console=console, auto_refresh=False) as live:
        while True:
            live.refresh()
            time.sleep(every)
            try:
                shown = _laid_out(look(), by_carrier=by_carrier)
                live.update(shown)
            except StoreUnavailable as error:
                live.update(Group(shown, str(error)))
