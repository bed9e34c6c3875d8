"""What a scenario has found, and where it is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.machine import describe

RESULTS: Final = Path(__file__).with_name("results")


class CannotRun(RuntimeError):
    """Something is missing on this machine; the text says how to get it."""


@dataclass(frozen=True, slots=True)
class Report:
    """One scenario's figures: Markdown, each aim with what came of it, and how to draw them into a file.

    `gaps` tells what could not be measured, and why.
    """

    title: str
    text: str
    aims: Sequence[tuple[str, str]] = ()
    plot: Callable[[Path], None] | None = None
    notes: Sequence[str] = field(default_factory=tuple)
    gaps: str = ""


def write(name: str, report: Report, *, quick: bool) -> None:
    """Write a report to bench/results; a quick one is printed only, so that it does not pass for a full one."""
    text = _page(name, report, quick=quick)
    print(text)
    if quick:
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    if report.plot:
        report.plot(RESULTS / f"{name}.png")
    (RESULTS / "README.md").write_text(summary(RESULTS), encoding="utf-8")


def _page(name: str, report: Report, *, quick: bool) -> str:
    aims = "".join(f"- {what}: {came}\n" for what, came in report.aims)
    notes = "\n".join(f"{note}\n" for note in report.notes)
    image = f"![{report.title}]({name}.png)\n" if report.plot and not quick else ""
    gaps = f"{report.gaps}\n" if report.gaps else ""
    end = f"{datetime.now(UTC):%Y-%m-%d}. {describe()}\n"
    parts = (f"# {report.title}\n", report.text, gaps, aims, notes, image, end)
    return "\n".join(part for part in parts if part)


def summary(results: Path) -> str:
    """Put the aims of all pages together, as each page has them."""
    lines = [
        "# What was measured",
        "",
        "`make bench` writes these pages. Every aim, kept or not:",
    ]
    for page in sorted(results.glob("*.md")):
        if page.name == "README.md":
            continue
        text = page.read_text(encoding="utf-8").splitlines()
        aims = [one for one in text if one.startswith("- ")]
        lines += ["", f"## [{text[0].removeprefix('# ')}]({page.name})", "", *aims]
    return "\n".join(lines) + "\n"
