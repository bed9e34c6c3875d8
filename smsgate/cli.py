"""The `smsgate` command: thin shells round the steps of smsgate.flow and smsgate.local."""

import sys
import time
from io import TextIOWrapper
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from smsgate import telemetry
from smsgate.errors import FieldError, InvalidMessage, SmsgateError
from smsgate.flow.cancel import Called
from smsgate.flow.cancel import cancel as call_back
from smsgate.flow.report import moment, report
from smsgate.flow.submit import Submit
from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.records import Records
from smsgate.ledger.webhook_secrets import WebhookSecrets
from smsgate.local.dead import dead
from smsgate.local.lanes import lanes
from smsgate.local.show import print_timeline
from smsgate.message import Lane, Message, MessageId
from smsgate.settings import current
from smsgate.webhooks.signature import new_secret

# Seconds for which `send --wait` and `show --wait` follow a message.
LONGEST_WAIT = 60.0


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="smsgate")
def smsgate() -> None:
    """Send SMS through Alibaba Cloud and know what became of each."""


@smsgate.command()
@click.option("--procfile", type=click.Path(path_type=Path), default=Path("Procfile"), show_default=True)
@click.option("--once", is_flag=True, help="Stop after the sample.")
def up(procfile: Path, once: bool) -> None:
    """Start the whole system here, send one sample SMS through it, serve until Ctrl-C."""
    from smsgate.local.up import up as start  # noqa: PLC0415 - needs the gateway's packages

    sys.exit(start(Console(), procfile, once=once))


@smsgate.command()
@click.argument("to")
@click.argument("template")
@click.argument("params", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--sign", help="The sign, where it is not SMSGATE_SIGN.")
@click.option("--lane", type=click.Choice([lane.value for lane in Lane]))
@click.option("--valid-for", type=int, metavar="SECONDS", help="Do not send it later than this.")
@click.option("--reference", help="Your own name for it.")
@click.option("--wait", is_flag=True, help="Follow it to its end and print its timeline.")
def send(to: str, template: str, params: tuple[str, ...], wait: bool, **more: str | int | None) -> None:
    """Send one SMS: smsgate send 13800138000 SMS_154950909 code=123456."""
    given = {name: value for name, value in more.items() if value is not None}
    message = Message.check({"to": to, "template": template, "params": dict(map(_pair, params)), **given})
    submitted = Submit(_records())(message)
    click.echo(submitted.id)
    if wait:
        _show(submitted.id, wait=True)


@smsgate.command()
@click.argument("message_id", metavar="ID")
@click.option("--wait", is_flag=True, help="Follow it to its end first.")
def show(message_id: str, wait: bool) -> None:
    """Print what became of a message."""
    _show(message_id, wait=wait)


@smsgate.command()
@click.argument("message_id", metavar="ID")
def cancel(message_id: str) -> None:
    """Call back a message that nobody has begun to send."""
    telemetry.configure("WARNING", form="console")
    cancellation = call_back(_records(), MessageId(message_id))
    if cancellation.called is Called.MISSING:
        raise click.ClickException(f"There is no message {message_id} in this Redis (SMSGATE_REDIS_URL).")
    if cancellation.called is Called.TOO_LATE:
        raise click.ClickException(f"It is too late: the message is {cancellation.state}.")
    click.echo(f"{message_id} is cancelled.")


smsgate.add_command(dead)
smsgate.add_command(lanes)


@smsgate.command()
@click.option("--sign", help="The sign to check, where it is not SMSGATE_SIGN.")
@click.option("--template", help="The template to check, such as SMS_154950909.")
def doctor(sign: str | None, template: str | None) -> None:
    """Check Redis, credentials, sign, template, clock and workers; say what to do about each."""
    from smsgate.local.doctor import examine  # noqa: PLC0415 - needs the gateway's packages

    sys.exit(examine(Console(), current(), sign=sign, template=template))


@smsgate.command()
def sandbox() -> None:
    """Serve a provider that runs on this machine, with an inbox to look at."""
    from smsgate.sandbox.__main__ import main as serve  # noqa: PLC0415 - needs the sandbox's packages

    serve([])


@smsgate.command()
def redis() -> None:
    """Serve the embedded Redis of the development system."""
    from smsgate.local import redis_server, state  # noqa: PLC0415 - needs the sandbox's packages

    state.prepare()
    redis_server.run(current().redis_port, state.HERE / "redis")


@smsgate.group()
def keys() -> None:
    """Make, list and revoke the keys of the HTTP API."""


@keys.command("create")
@click.argument("client")
def create_key(client: str) -> None:
    """Make a key for CLIENT and print it, this once. The keys of one client see the same messages."""
    _check_client(client)
    click.echo(ApiKeys(connect_briefly(current().redis_url)).create(client))


@keys.command("list")
def list_keys() -> None:
    """List the keys, never their secrets."""
    table = Table("id", "client", "created")
    for key in ApiKeys(connect_briefly(current().redis_url)).list():
        table.add_row(key.id, key.client, moment(key.created_at * 1000))
    Console().print(table)


@keys.command("revoke")
@click.argument("key_id", metavar="ID")
def revoke_key(key_id: str) -> None:
    """Revoke the key with this id."""
    if not ApiKeys(connect_briefly(current().redis_url)).revoke(key_id):
        raise click.ClickException(f"There is no key {key_id}; `smsgate keys list` shows the ids.")


@smsgate.group()
def webhooks() -> None:
    """Secrets with which clients verify the webhooks that they receive."""


@webhooks.command("secret")
@click.argument("client")
@click.option("--rotate", is_flag=True, help="Make a new one; the present one stays valid beside it.")
@click.option("--drop-previous", is_flag=True, help="Sign with the newest one only.")
def webhook_secret(client: str, rotate: bool, drop_previous: bool) -> None:
    """Print CLIENT's valid secrets, the newest first; makes the first. "" is for `.delay()` and `smsgate send`."""
    if client:
        _check_client(client)
    secrets = WebhookSecrets(connect_briefly(current().redis_url), new_secret)
    if rotate:
        secrets.rotate(client)
    if drop_previous:
        secrets.drop_previous(client)
    click.echo("\n".join(secrets.valid(client)))


def _check_client(client: str) -> None:
    if not client.replace("-", "").replace("_", "").isalnum():
        raise InvalidMessage([FieldError("CLIENT", "must be letters, digits, - and _")])


def _records() -> Records:
    settings = current()
    return Records(connect_briefly(settings.redis_url), retention=settings.retention)


def _pair(written: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    if not equals:
        raise click.UsageError("Write each variable of the template as NAME=VALUE, such as code=123456.")
    return name, value


def _show(message_id: str, *, wait: bool) -> None:
    records, deadline = _records(), time.monotonic() + LONGEST_WAIT
    known = records.read(MessageId(message_id))
    while wait and known and not report(known)["final"] and time.monotonic() < deadline:
        time.sleep(0.1)
        known = records.read(MessageId(message_id))
    if known is None:
        raise click.ClickException(f"There is no message {message_id} in this Redis (SMSGATE_REDIS_URL).")
    print_timeline(Console(), report(known))


def main() -> None:
    """Run the command; an error of ours is one line and exit status 1, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # an ASCII terminal shows ? where it has no sign
    try:
        smsgate()
    except (SmsgateError, OSError) as error:
        click.echo(f"smsgate: {error}", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        click.echo(f"smsgate: {error.name} is not installed: pip install 'smsgate[gateway,sandbox]'", err=True)
        sys.exit(1)
