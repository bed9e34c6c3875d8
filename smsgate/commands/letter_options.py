"""The options by which `smsgate dead` says which letters are meant."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from smsgate.commands.when import when
from smsgate.ledger.dead_letters import Filter
from smsgate.message import Lane

_OPTIONS = (
    click.option("--reason", help="Why they died, such as isp.RAM_PERMISSION_DENY; isv.* takes all that begin so."),
    click.option("--template", help="Their template, such as SMS_154950909."),
    click.option("--lane", type=click.Choice([lane.value for lane in Lane])),
    click.option(
        "--since", metavar="TIME", callback=when, help="Died at this time or later: 30m, 2h, 7d ago, or ISO 8601."
    ),
    click.option("--until", metavar="TIME", callback=when, help="Died at this time or before."),
)


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Hand a command its filter as `which`, read from options of its own."""

    @wraps(command)
    def with_filter(
        *args: Any,
        reason: str | None,
        template: str | None,
        lane: str | None,
        since: int | None,
        until: int | None,
        **more: Any,
    ) -> None:
        which = Filter(reason, template, Lane(lane) if lane else None, None, since, until)
        command(*args, which=which, **more)

    decorated: Callable[..., None] = with_filter
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def insist_on_a_choice(ids: tuple[str, ...], which: Filter, *, every: bool) -> None:
    """Refuse a command that does not say which letters it means, or says it twice.

    Raises:
        UsageError: It names what to give.
    """
    if sum([bool(ids), which != Filter(), every]) != 1:
        raise click.UsageError("Say which letters: their ids, or a filter such as --reason, or --all for every one.")
