"""Plots beside the tables."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# matplotlib is imported where something is drawn: what tests of tables and parsers import does without it.


def bars(path: Path, title: str, unit: str, values: Mapping[str, float]) -> None:
    """Draw a bar for each name; one that was not measured is left out."""
    values = {name: value for name, value in values.items() if not math.isnan(value)}
    figure, axes = _pyplot().subplots(figsize=(8, 0.45 * len(values) + 1.4))
    names = list(values)[::-1]
    axes.barh(names, [values[name] for name in names], color="#3b6ea5")
    for place, name in enumerate(names):
        axes.text(values[name], place, f" {values[name]:,.0f}", va="center", fontsize=8)
    axes.set_title(title)
    axes.set_xlabel(unit)
    axes.margins(x=0.15)
    _save(figure, path)


def lines(
    path: Path, title: str, labels: tuple[str, str], curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]
) -> None:
    """Draw curves on logarithmic axes."""
    figure, axes = _pyplot().subplots(figsize=(8, 4.5))
    for name, (across, up) in curves.items():
        axes.loglog(across, up, marker="o", label=name)
    axes.set_title(title)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend()
    _save(figure, path)


@dataclass(frozen=True, slots=True)
class Panel:
    """One of several small pictures: curves over the seconds, and a span of them that is shaded."""

    title: str
    curves: Mapping[str, Sequence[float]]
    shaded: tuple[float, float] | None = None


def panels(path: Path, title: str, labels: tuple[str, str], drawn: Sequence[Panel]) -> None:
    """Draw panels two abreast, all of the same height from 0 to 1."""
    rows = (len(drawn) + 1) // 2
    figure, grid = _pyplot().subplots(rows, 2, figsize=(10, 2.3 * rows + 0.6), sharey=True, squeeze=False)
    for axes, panel in zip(grid.flat, drawn, strict=False):
        for name, heights in panel.curves.items():
            axes.plot(range(1, len(heights) + 1), heights, label=name, linewidth=1.4)
        if panel.shaded:
            axes.axvspan(*panel.shaded, color="#c44e52", alpha=0.12)
        axes.set_title(panel.title, fontsize=10)
        axes.set_ylim(-0.03, 1.06)
        axes.grid(visible=True, alpha=0.25)
    for axes in grid[-1]:
        axes.set_xlabel(labels[0])
    for row in grid:
        row[0].set_ylabel(labels[1])
    grid[0][0].legend(loc="lower left", fontsize=8)
    figure.suptitle(title)
    _save(figure, path)


def over_time(
    path: Path, up: str, panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]], *, top: float
) -> None:
    """Draw panels one above the other, each with curves over seconds, from 0 to `top`."""
    figure, many = _pyplot().subplots(len(panels), sharex=True, figsize=(8, 2.6 * len(panels)))
    for axes, (title, curves) in zip(many, panels.items(), strict=True):
        for name, (across, values) in curves.items():
            axes.plot(across, values, label=name, linewidth=1.2)
        axes.set_title(title, fontsize=10)
        axes.set_ylabel(up)
        axes.set_ylim(0, top)
        axes.grid(visible=True, alpha=0.25)
    many[0].legend(loc="upper center", fontsize=8)
    many[-1].set_xlabel("seconds")
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    _pyplot().close(figure)


def _pyplot() -> Any:
    import matplotlib as mpl  # noqa: PLC0415 - see above

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - likewise

    return plt
