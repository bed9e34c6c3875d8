"""`smsgate dead strays`: what lay in a queue and was no message of ours."""

import click
from rich.markup import escape
from rich.table import Table

from smsgate.flow.report import moment
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.strays import Stray, Strays
from smsgate.local.show import wide_console
from smsgate.settings import current


@click.group()
def strays() -> None:
    """List, show, requeue and drop strays: unknown tasks, unreadable bodies, rubbish."""


@strays.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
def list_strays(limit: int) -> None:
    """List strays, the newest first."""
    known = _strays()
    table = Table("id", "at", "queue", "reason", "task id")
    for stray in known.newest(limit):
        table.add_row(stray.id, moment(stray.at), escape(stray.queue), stray.reason, escape(stray.task_id or ""))
    wide_console().print(table)
    click.echo(f"{known.count():,} strays")


@strays.command("show")
@click.argument("stray_id", metavar="ID")
@click.option("--reveal", is_flag=True, help="Print the entry as it came, numbers and parameters included.")
def show_stray(stray_id: str, reveal: bool) -> None:
    """Print where a stray lay and why it was set aside."""
    stray = _read(stray_id)
    click.echo(f"{stray.id}  {moment(stray.at)}  queue {stray.queue}  reason {stray.reason}")
    click.echo(f"task id {stray.task_id or '-'}  {len(stray.entry):,} characters")
    if reveal:
        click.echo(stray.entry.encode("utf-8", "surrogateescape"))


@strays.command("requeue")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
def requeue_strays(ids: tuple[str, ...]) -> None:
    """Put strays back onto the queues in which they lay, once a worker can make something of them."""
    known = _strays()
    _tell("requeued", ids, [one for one in ids if known.requeue(one)])


@strays.command("drop")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--yes", is_flag=True, help="Do not ask first.")
def drop_strays(ids: tuple[str, ...], yes: bool) -> None:
    """Forget strays."""
    if not yes:
        click.confirm(f"Drop {len(ids)} strays?", abort=True)
    known = _strays()
    _tell("dropped", ids, [one for one in ids if known.drop(one)])


def mention() -> None:
    """Say that there are strays, where there are."""
    count = _strays().count()
    if count:
        click.echo(f"{count:,} strays besides, which are no messages of ours: smsgate dead strays list")


def _strays() -> Strays:
    return Strays(connect_briefly(current().redis_url))


def _read(stray_id: str) -> Stray:
    stray = _strays().read(stray_id)
    if stray is None:
        raise click.ClickException(f"There is no stray {stray_id}; `smsgate dead strays list` shows them.")
    return stray


def _tell(done: str, asked: tuple[str, ...], made: list[str]) -> None:
    click.echo(f"{len(made)} {done}.")
    missing = [one for one in asked if one not in made]
    if missing:
        raise click.ClickException(f"There is no stray {', '.join(missing)}.")
