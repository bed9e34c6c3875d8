"""`smsgate channels check`: is the configuration file as it must be?"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from smsgate import config
from smsgate.config import Config
from smsgate.errors import SettingsError
from smsgate.routing.dead_rules import Gravity, Problem, problems
from smsgate.settings import current


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check(file: Path | None) -> None:
    """Check a configuration file, SMSGATE_CONFIG without a name: every mistake with its place and its fix."""
    path = file or current().config
    if path is None:
        raise click.UsageError("Name a file, or set SMSGATE_CONFIG.")
    try:
        declared = config.parsed(path)
    except SettingsError as error:
        lines = (line.strip().removeprefix(f"{path.name}:").strip() for line in str(error).splitlines())
        _tell(path, [f"error: {line}" for line in lines if line])
        sys.exit(1)
    found = sorted(_found(declared), key=lambda one: one.gravity is not Gravity.ERROR)
    if found:
        _tell(path, [str(one) for one in found])
    if any(one.gravity is Gravity.ERROR for one in found):
        sys.exit(1)
    counts = (("channel", declared.channels), ("route", declared.routes), ("limit", declared.limits))
    told = ", ".join(f"{len(some)} {name}{'' if len(some) == 1 else 's'}" for name, some in counts)
    click.echo(f"{path}: {told}: good")


def _found(declared: Config) -> Iterator[Problem]:
    whole = config.completed(declared, current())
    yield from problems(declared.table)
    yield from _options(whole)
    yield from config.without_sign(whole)


def _options(declared: Config) -> Iterator[Problem]:
    """Build each channel by itself, so that each says what is wrong with it."""
    from smsgate.network import network_of  # noqa: PLC0415 - needs the gateway's packages

    for profile in declared.channels:
        try:
            network_of(Config(channels=(profile,)))
        except SettingsError as error:
            for line in str(error).splitlines():
                where, colon, text = line.strip().partition(": ")
                if colon:
                    yield Problem(Gravity.ERROR, where, text)


def _tell(path: Path, lines: list[str]) -> None:
    click.echo(f"{path}:", err=True)
    for line in lines:
        click.echo(f"  {line}", err=True)
