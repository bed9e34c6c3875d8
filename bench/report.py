"""What a scenario has found, and where it is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.machine import describe

RESULTS: Final = Path(__file__).with_name("results")


@dataclass(frozen=True, slots=True)
class Report:
    """One scenario's figures: Markdown, each aim with what came of it, and how to draw them into a file."""

    title: str
    text: str
    aims: Sequence[tuple[str, str]] = ()
    plot: Callable[[Path], None] | None = None
    notes: Sequence[str] = field(default_factory=tuple)


def write(name: str, report: Report, *, quick: bool) -> None:
    """Write a report to bench/results; a quick one is printed only, so that it does not pass for a full one."""
    aims = "".join(f"- {what}: {came}\n" for what, came in report.aims)
    notes = "".join(f"\n{note}\n" for note in report.notes)
    image = f"\n![{report.title}]({name}.png)\n" if report.plot and not quick else ""
    text = f"# {report.title}\n\n{report.text}\n{aims}{notes}{image}\n{describe()}\n"
    print(text)
    if quick:
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    if report.plot:
        report.plot(RESULTS / f"{name}.png")
