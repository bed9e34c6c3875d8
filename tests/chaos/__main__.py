"""`python -m tests.chaos`: disturb a gateway of real processes and count what became of every message."""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tests.chaos import clock, table
from tests.chaos.rehearsal import Plan, Result, Unproven, rehearse
from tests.chaos.scenarios import SCENARIOS, Scenario

_BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@click.command()
@click.argument("names", metavar="[SCENARIO …]", nargs=-1, type=click.Choice(list(_BY_NAME)))
@click.option("--messages", default=2000, show_default=True, type=click.IntRange(1), help="Messages a scenario.")
@click.option("--in-batches", default=0.5, show_default=True, type=click.FloatRange(0, 1), help="Share in batches.")
@click.option("--rate", default=50.0, show_default=True, type=click.FloatRange(0.1), help="Messages a second.")
@click.option("--seed", default=1, show_default=True, help="What chance is drawn from: lanes, kills, faults.")
@click.option("--drain-deadline", default=240.0, show_default=True, help="Seconds to wait for the last message.")
@click.option("--list", "only_list", is_flag=True, help="Name the scenarios.")
@click.option("--write", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Put the table there.")
def main(names: tuple[str, ...], *, only_list: bool, write: Path | None, **asked: Any) -> None:
    """Disturb a gateway of real processes and count, at the provider, what became of every message.

    The exit status is 1 when a promise was broken, or a scenario proved nothing.
    """
    if only_list:
        for scenario in SCENARIOS:
            click.echo(f"{scenario.name:24}{scenario.about}")
        return
    # Terminated, it takes its processes with it as it does on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    plan = Plan(**asked)
    results, failed = [], []
    for name in names or _BY_NAME:
        try:
            result = _run(_BY_NAME[name], plan)
        except Unproven as error:
            click.echo(f"{name}: UNPROVEN: {error}")
            failed.append(name)
            continue
        results += [result] if result else []
        failed += [name] if result and not result.verdict.kept else []
    click.echo(f"\n{table.markdown(results)}")
    if write:
        table.write(write, results, plan)
    click.echo(f"Broken or unproven: {', '.join(failed)}." if failed else "Every promise was kept.")
    sys.exit(1 if failed or not results else 0)


def _run(scenario: Scenario, plan: Plan) -> Result | None:
    say = _teller(scenario.name)
    say(scenario.about)
    if scenario.jumps and not clock.can_be_built():
        if len(scenario.disturbers) == 1:
            say("SKIPPED: a jumping clock needs gcc, and there is none")
            return None
        say("without jumps of the clock: they need gcc, and there is none")
    result = rehearse(scenario, plan, say)
    for line in table.details(result):
        say(line)
    say("kept" if result.verdict.kept else "BROKEN")
    click.echo(table.markdown([result]))
    return result


def _teller(name: str) -> Callable[[str], None]:
    began = time.monotonic()

    def say(what: str) -> None:
        click.echo(f"{name} {time.monotonic() - began:5.0f} s  {what}")

    return say


if __name__ == "__main__":
    main()
