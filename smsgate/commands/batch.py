"""`smsgate batch`: send a file of rows, see how it stands, pause it, let it go on, call it back."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Final

import click
from rich.table import Table

from smsgate import telemetry
from smsgate.errors import FieldError, InvalidMessage, StoreUnavailable
from smsgate.flow.clock import system_clock
from smsgate.flow.report_batch import report_batch
from smsgate.flow.steer_batch import SteerBatch
from smsgate.flow.submit_batch import UploadBroken
from smsgate.flow.write_rows import Given, Upload
from smsgate.ledger.batch import Batch, Status
from smsgate.ledger.batches import Batches
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.groups import Groups
from smsgate.local.show import wide_console
from smsgate.message import Common, Lane, OnUncertain
from smsgate.parts import submit_batch_to
from smsgate.settings import current

_FORMATS: Final = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json"}
# Rejected rows that are printed; who wants all of them reads the file that he sent.
_MOST_PRINTED: Final = 20


@click.group()
def batch() -> None:
    """Send up to a million rows, each a message of its own; see, pause, resume and cancel batches."""
    telemetry.configure("WARNING", form="console")


@batch.command("send")
@click.argument("file", type=click.File("rb"))
@click.option("--template", help="The template of all rows; a JSON file may say it itself.")
@click.option("--sign", help="The sign, where it is not SMSGATE_SIGN.")
@click.option("--lane", type=click.Choice([lane.value for lane in Lane]), help="bulk, unless said otherwise.")
@click.option("--valid-for", type=int, metavar="SECONDS", help="Do not send a row later than this.")
@click.option("--send-at", metavar="TIME", help="Send it then: 2026-12-24T18:00:00+08:00.")
@click.option("--on-uncertain", type=click.Choice([policy.value for policy in OnUncertain]))
@click.option("--callback-url", metavar="URL", help="Tell this URL, signed, when a row has come to its end.")
@click.option("--key", "idempotency_key", help="With the same key a batch that broke off goes on, and none goes twice.")
@click.option(
    "--format", "form", type=click.Choice(sorted(set(_FORMATS.values()))), help="Where its name does not say."
)
def send_file(file: IO[bytes], form: str | None, idempotency_key: str | None, **more: str | int | None) -> None:
    """Send the rows of FILE (- is the standard input): CSV with a header row, NDJSON or JSON."""
    named = form or _FORMATS.get(Path(file.name).suffix.lower())
    if named is None:
        raise click.UsageError("Say --format csv, ndjson or json: the name of the file does not.")
    head, rows = _read(file, named)
    given = {name: value for name, value in more.items() if value is not None}
    common = Common.check({"lane": Lane.BULK, **head, **given})
    settings = current()
    try:
        upload = submit_batch_to(connect_briefly(settings.redis_url), settings)(
            common, rows, idempotency_key=idempotency_key
        )
    except UploadBroken as broken:
        _tell(broken.upload)
        raise click.ClickException(f"It ended before its end: {broken}. {_way_on(broken, idempotency_key)}") from None
    _tell(upload)
    sys.exit(0 if upload.accepted else 1)


@batch.command()
@click.argument("batch_id", metavar="ID")
def show(batch_id: str) -> None:
    """Print how a batch stands, and its rows by state."""
    _print(_found(batch_id))


@batch.command()
@click.argument("batch_id", metavar="ID")
def pause(batch_id: str) -> None:
    """Take no further rows of a batch, until it is resumed."""
    _steer(batch_id, Status.PAUSED)


@batch.command()
@click.argument("batch_id", metavar="ID")
def resume(batch_id: str) -> None:
    """Let a paused batch go on."""
    _steer(batch_id, Status.OPEN)


@batch.command()
@click.argument("batch_id", metavar="ID")
def cancel(batch_id: str) -> None:
    """Call back, for good, the rows of a batch that nobody has begun with."""
    _steer(batch_id, Status.CANCELLED)


def _read(file: IO[bytes], form: str) -> tuple[dict[str, Any], Iterable[Given]]:
    """Begin to read a file; whoever only watches batches needs none of the readers."""
    from smsgate.http.rows.body import Body  # noqa: PLC0415 - see above
    from smsgate.http.rows.csv_rows import csv_rows  # noqa: PLC0415 - see above
    from smsgate.http.rows.json_rows import JsonBatch  # noqa: PLC0415 - see above
    from smsgate.http.rows.ndjson import ndjson_rows  # noqa: PLC0415 - see above

    body = Body(file, None, of_lines=False)
    if form == "json":
        read = JsonBatch(body)
        return read.head, read.rows()
    return {}, csv_rows(body) if form == "csv" else ndjson_rows(body)


def _way_on(broken: UploadBroken, key: str | None) -> str:
    if isinstance(broken.error, StoreUnavailable | InvalidMessage | OSError) and key:
        return "The same command, with this --key, goes on where it ended."
    if not broken.upload.accepted and not isinstance(broken.error, StoreUnavailable):
        return "Nothing was accepted."
    return f"`smsgate batch cancel {broken.upload.id}` calls back what has not gone yet."


def _tell(upload: Upload) -> None:
    click.echo(upload.id)
    click.echo(
        f"{upload.accepted:,} of {upload.received:,} rows accepted, {upload.rejected_count:,} rejected.", err=True
    )
    for one in upload.rejected[:_MOST_PRINTED]:
        click.echo(f"row {one.index}: {'; '.join(map(_named, one.errors))}", err=True)
    if upload.rejected_count > _MOST_PRINTED:
        click.echo(f"… and {upload.rejected_count - _MOST_PRINTED:,} more.", err=True)


def _named(error: FieldError) -> str:
    return f"{error.field}: {error.message}"


def _batches() -> Batches:
    return Batches(connect_briefly(current().redis_url))


def _found(batch_id: str) -> Batch:
    found = _batches().read(batch_id)
    if found is None:
        raise click.ClickException(f"There is no batch {batch_id} in this Redis (SMSGATE_REDIS_URL).")
    return found


def _steer(batch_id: str, status: Status) -> None:
    found = _found(batch_id)
    client = connect_briefly(current().redis_url)
    if not SteerBatch(Batches(client), Groups(client))(found, status):
        raise click.ClickException(f"{batch_id} was called back, which is for good.")
    _print(_found(batch_id))


def _print(found: Batch) -> None:
    told = report_batch(found, system_clock())
    counts = told.pop("counts")
    table = Table("", "", show_header=False)
    for name, value in {**told, **counts}.items():
        table.add_row(str(name), f"{value:,}" if isinstance(value, int) else str(value))
    wide_console().print(table)
