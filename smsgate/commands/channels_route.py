"""`smsgate channels route`: which way would a message take now?"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from smsgate.config_file import ConfigFile
from smsgate.ledger.channel_health import ChannelHealth, Counts
from smsgate.ledger.connection import connect_briefly
from smsgate.message import Lane, Message
from smsgate.settings import current


@click.command()
@click.option("--to", required=True, metavar="NUMBER")
@click.option("--template", required=True)
@click.option("--lane", type=click.Choice([lane.value for lane in Lane]), default=Lane.NOTICE.value, show_default=True)
@click.option("--client", default="", help="Who sends it: the name of an API key.")
@click.option("--sign", help="The sign that it brings.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one object.")
def route(to: str, template: str, client: str, as_json: bool, **more: str | None) -> None:
    """Say which rule fits a message, and by which channels it would be tried now; nothing is sent."""
    from smsgate.flow.report_route import report_route  # noqa: PLC0415 - only here
    from smsgate.flow.ways import traits_of  # noqa: PLC0415 - needs the gateway's packages

    given = {name: value for name, value in more.items() if value is not None}
    message = Message.check({"to": to, "template": template, **given})
    settings = current()
    declared = ConfigFile(settings).current
    known, _ = ChannelHealth(connect_briefly(settings.redis_url), declared.breaker).pulse(Counts())
    told = report_route(declared.table, known, traits_of(message, client))
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else "\n".join(_lines(told, message.lane)))
    if not told["channels"]:
        raise click.ClickException("No channel carries it: as a message it would be a dead letter, no_channel.")


def _lines(told: Mapping[str, Any], lane: str) -> Iterator[str]:
    of = ", ".join(str(part) for part in (told["country"], told["carrier"], lane) if part)
    yield f"{told['to']} ({of})"
    yield f"{_rule(told['rule'])}; {told['strategy']}"
    for place, channel in enumerate(told["channels"], 1):
        yield f"  {place}. {channel['name']}{_facts(channel)}"
    for name in told["cannot_carry"]:
        yield f"  -  {name} cannot carry it: its lanes, countries, templates or signs"


def _rule(rule: Mapping[str, Any] | None) -> str:
    if rule is None:
        return "no rule fits: every channel that can carry it"
    asked = ", ".join(f"{name} {' or '.join(values)}" for name, values in rule["conditions"].items())
    return f"rule {rule['number']} fits ({asked or 'every message'})"


def _facts(channel: Mapping[str, Any]) -> str:
    facts = [f"health {channel['health']:.2f}"]
    if channel["share"] is not None:
        facts.append(f"{100 * channel['share']:.0f} % of such messages")
    if channel["cost"]:
        facts.append(f"cost {channel['cost']:g}")
    if channel["why"]:
        facts.append(channel["why"])
    if not channel["available"]:
        facts.append("not to be called now")
    return f"  ({', '.join(facts)})"
