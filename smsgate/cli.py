"""The `smsgate` command: thin shells round the steps of smsgate.flow and smsgate.local."""

import sys
import time
from io import TextIOWrapper
from pathlib import Path

import click
from rich.console import Console

from smsgate import telemetry
from smsgate.commands.batch import batch
from smsgate.commands.channels import channels
from smsgate.commands.dead import dead
from smsgate.commands.degrade import degrade
from smsgate.commands.keys import keys
from smsgate.commands.lanes import lanes
from smsgate.commands.limits import limits
from smsgate.commands.pauses import pause, pauses, resume
from smsgate.commands.webhooks import webhooks
from smsgate.errors import SmsgateError
from smsgate.flow.cancel import Called
from smsgate.flow.cancel import cancel as call_back
from smsgate.flow.report import report
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.records import Records
from smsgate.local.show import print_timeline
from smsgate.message import Lane, Message, MessageId, OnUncertain
from smsgate.parts import hand_on_in, records_in, submit_to
from smsgate.settings import current
from smsgate.states import State

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
@click.option("--send-at", metavar="TIME", help="Send it then: 2026-12-24T18:00:00+08:00.")
@click.option("--on-uncertain", type=click.Choice([policy.value for policy in OnUncertain]))
@click.option("--callback-url", metavar="URL", help="Tell this URL, signed, when it has come to its end.")
@click.option("--reference", help="Your own name for it.")
@click.option("--wait", is_flag=True, help="Follow it to its end and print its timeline; fails unless it was sent.")
def send(to: str, template: str, params: tuple[str, ...], wait: bool, **more: str | int | None) -> None:
    """Send one SMS: smsgate send 13800138000 SMS_154950909 code=123456."""
    given = {name: value for name, value in more.items() if value is not None}
    message = Message.check({"to": to, "template": template, "params": dict(map(_pair, params)), **given})
    settings = current()
    client = connect_briefly(settings.redis_url)
    submitted = submit_to(client, settings)(message)
    hand_on = hand_on_in(client, settings)
    if hand_on:
        hand_on.at_once()
    click.echo(submitted.id)
    if wait and _show(submitted.id, wait=True) not in (State.SENT, State.DELIVERED):
        sys.exit(1)


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


for group in (batch, channels, dead, degrade, keys, lanes, limits, pause, pauses, resume, webhooks):
    smsgate.add_command(group)


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


def _records() -> Records:
    settings = current()
    return records_in(connect_briefly(settings.redis_url), settings)


def _pair(written: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    if not equals:
        raise click.UsageError("Write each variable of the template as NAME=VALUE, such as code=123456.")
    return name, value


def _show(message_id: str, *, wait: bool) -> State:
    records, deadline = _records(), time.monotonic() + LONGEST_WAIT
    known = records.read(MessageId(message_id))
    while wait and known and not report(known)["final"] and time.monotonic() < deadline:
        time.sleep(0.1)
        known = records.read(MessageId(message_id))
    if known is None:
        raise click.ClickException(f"There is no message {message_id} in this Redis (SMSGATE_REDIS_URL).")
    print_timeline(Console(), report(known))
    return known.state


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
