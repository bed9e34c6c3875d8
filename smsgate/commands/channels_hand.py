"""`smsgate channels pause`, `resume`, `open` and `close`: an operator's hand on a channel."""

from collections.abc import Callable
from typing import Any

import click

from smsgate.config_file import ConfigFile
from smsgate.flow.clock import system_clock
from smsgate.ledger.channel_states import ChannelStates
from smsgate.ledger.connection import connect_briefly
from smsgate.routing.breaker import ASK, SEND, Phase, Reason, name_of
from smsgate.settings import current

_NAME = click.argument("name", metavar="CHANNEL")
_REASON: Callable[..., Any] = click.option("--reason", default="", help="Why, for whoever looks at it next.")


@click.command("pause")
@_NAME
@_REASON
def pause(name: str, reason: str) -> None:
    """Send nothing by a channel until it is resumed; messages take another, or wait."""
    _states(name).pause(name, reason, system_clock())
    click.echo(f"{name} is paused, in a second at the latest: `smsgate channels resume {name}` lets it go on.")


@click.command("resume")
@_NAME
def resume(name: str) -> None:
    """Let a paused channel go on."""
    click.echo(f"{name} goes on." if _states(name).resume(name) else f"{name} was not paused.")


@click.command("open")
@_NAME
@_REASON
def open_by_hand(name: str, reason: str) -> None:
    """Open a channel's breaker until it is closed by hand: no probe goes."""
    _states(name).open(name_of(name, SEND), Reason.BY_HAND, reason)
    click.echo(f"The breaker of {name} is open: `smsgate channels close {name}` closes it.")


@click.command("close")
@_NAME
def close(name: str) -> None:
    """Close a channel's breakers, whatever opened them, and begin to count anew."""
    states = _states(name)
    turns = [states.close(name_of(name, operation)) for operation in (SEND, ASK)]
    was_open = any(event.before is not Phase.CLOSED for turn in turns for event in turn.events)
    click.echo(f"The breaker of {name} is closed." if was_open else f"The breaker of {name} was closed already.")


def _states(name: str) -> ChannelStates:
    """Give the shared states, if there is such a channel.

    Raises:
        ClickException: It names those that there are.
    """
    settings = current()
    declared = ConfigFile(settings).current
    names = [profile.name for profile in declared.channels]
    if name not in names:
        place = f"in {settings.config}" if settings.config else "without SMSGATE_CONFIG"
        raise click.ClickException(f"There is no channel {name}; {place} there is {', '.join(names)}.")
    return ChannelStates(connect_briefly(settings.redis_url), declared.breaker)
