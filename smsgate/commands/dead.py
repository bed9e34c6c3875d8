"""`smsgate dead`: what an operator does with dead letters."""

import json
import sys
import time
from collections import Counter

import click

from smsgate import telemetry
from smsgate.commands import strays
from smsgate.commands.letter_options import filtered, insist_on_a_choice
from smsgate.flow.drop import Drop, Dropped
from smsgate.flow.replay import FASTEST, SLOWEST, Replay, Replayed
from smsgate.flow.report import moment, report
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.dead_letters import Counts, Cursor, DeadLetters, Filter
from smsgate.ledger.records import Records
from smsgate.local.show import print_arguments, print_letters, print_timeline, wide_console
from smsgate.message import MessageId
from smsgate.parts import records_in
from smsgate.settings import current


@click.group()
def dead() -> None:
    """List, show, replay and drop dead letters: messages that an operator can put right."""
    telemetry.configure("WARNING", form="console")  # a line for each letter would bury what is told at the end


@dead.command("list")
@filtered
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--cursor", help="The `next` of the page before.")
@click.option("--json", "as_json", is_flag=True, help="For programs: what GET /v1/dead-letters answers, and counts.")
def list_letters(which: Filter, limit: int, cursor: str | None, as_json: bool) -> None:
    """List dead letters, the newest first, and count them by reason."""
    _, letters = _ledger()
    counts = letters.counts(which)
    page = letters.page(which, limit=limit, cursor=_cursor(cursor))
    rest = str(page.next) if page.next else None
    if as_json:
        told = {"dead_letters": [report(one) for one in page.letters], "next": rest, "counts": counts.by_reason}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    print_letters(wide_console(), page.letters)
    click.echo(_counted(counts))
    if rest:
        click.echo(f"There are more: --cursor {rest}")
    strays.mention()


@dead.command("show")
@click.argument("message_id", metavar="ID")
@click.option("--reveal", is_flag=True, help="Show the whole number and the parameters' values.")
def show_letter(message_id: str, reveal: bool) -> None:
    """Print a letter's history, and the arguments with which it was sent: masked, unless --reveal is given."""
    records, _ = _ledger()
    record = records.read(MessageId(message_id))
    if record is None:
        raise click.ClickException(f"There is no message {message_id} in this Redis (SMSGATE_REDIS_URL).")
    console = wide_console()
    print_timeline(console, report(record))
    console.print(f"{record.state}, reason {record.reason or '-'}, {record.attempts} attempts", markup=False)
    if record.message:
        print_arguments(console, record.message, reveal=reveal)


@dead.command("replay")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@filtered
@click.option("--all", "every", is_flag=True, help="Every dead letter.")
@click.option(
    "--rate", type=click.FloatRange(SLOWEST, FASTEST), help="So many messages a second; without, all at once."
)
@click.option("--yes", is_flag=True, help="Do not ask first.")
def replay_letters(ids: tuple[str, ...], which: Filter, every: bool, rate: float | None, yes: bool) -> None:
    """Send dead letters again: those with these ids, or all that fit."""
    insist_on_a_choice(ids, which, every=every)
    records, letters = _ledger()
    replay = Replay(records, letters)
    if ids:
        done = replay.these([MessageId(one) for one in ids], rate=rate)
    else:
        _confirm("Replay", letters.counts(which), yes=yes)
        done = replay.matching(which, rate=rate)
    _tell(done)
    sys.exit(1 if ids and done.skipped else 0)


@dead.command("drop")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@filtered
@click.option("--all", "every", is_flag=True, help="Every dead letter.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
def drop_letters(ids: tuple[str, ...], which: Filter, every: bool, yes: bool) -> None:
    """Give dead letters up for good: they end as cancelled, and cannot be replayed."""
    insist_on_a_choice(ids, which, every=every)
    records, letters = _ledger()
    drop = Drop(records, letters)
    if not ids:
        _confirm("Drop", letters.counts(which), yes=yes)
        click.echo(f"{drop.matching(which)} dropped.")
        return
    if not yes:
        click.confirm(f"Drop {len(ids)} dead letters?", abort=True)
    results = Counter(drop(MessageId(one)) for one in ids)
    click.echo(", ".join(f"{count} {result}" for result, count in results.items()) + ".")
    sys.exit(0 if set(results) == {Dropped.DROPPED} else 1)


def _ledger() -> tuple[Records, DeadLetters]:
    settings = current()
    client = connect_briefly(settings.redis_url)
    records = records_in(client, settings)
    return records, DeadLetters(client, records)


def _cursor(written: str | None) -> Cursor | None:
    try:
        return Cursor.read(written) if written else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--cursor") from None


def _counted(counts: Counts) -> str:
    reasons = "  ".join(f"{reason or '-'} {count:,}" for reason, count in counts.by_reason.items())
    many = "" if counts.complete else " or more"
    return f"{counts.total:,}{many} dead letters{':  ' if reasons else ''}{reasons}"


def _confirm(act: str, counts: Counts, *, yes: bool) -> None:
    if not yes:
        click.confirm(f"{act} {_counted(counts)}?", abort=True)


def _tell(done: Replayed) -> None:
    ahead = done.until is not None and done.until > time.time() * 1000
    click.echo(
        f"{done.count:,} replayed" + (f", the last one goes at {moment(done.until or 0)}" if ahead else "") + "."
    )
    for why, count in Counter(one.why for one in done.skipped).items():
        click.echo(f"{count:,} not replayed: {why}.")
    if any(one.why == "may_have_been_sent" for one in done.skipped):
        click.echo(
            "Those may have reached their phones: replay them by id or by --reason, if twice is better than never."
        )
    if done.next:
        click.echo("At this rate the rest would wait for more than 30 days: they stay dead letters.")


dead.add_command(strays.strays)
