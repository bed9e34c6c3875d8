"""Medians of several runs, and the tables that show them."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure taken several times; not at all where that failed."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Give the median; NaN, which keeps no aim, where there is nothing."""
        return statistics.median(self.values) if self.values else math.nan

    @property
    def written(self) -> str:
        """Write the median, and the least and the most where it was taken more than once."""
        if not self.values:
            return "not measured"
        if len(self.values) == 1:
            return _round(self.median)
        return f"{_round(self.median)} ({_round(min(self.values))} to {_round(max(self.values))})"


def of(values: Iterable[float]) -> Figure:
    return Figure(tuple(values))


def _round(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(one) for one in line)} |" for line in lines) + "\n"


def _cell(value: object) -> str:
    match value:
        case Figure():
            return value.written
        case float():
            return _round(value)
        case int():
            return f"{value:,}"
        case None:
            return ""
        case _:
            return str(value)


def ratio(part: float, whole: float, aim: float, *, at_most: bool = False) -> str:
    """Write a ratio beside its aim; one that falls short says so."""
    return against(part / whole if whole else float("nan"), aim, at_most=at_most)


def against(value: float, aim: float, unit: str = "", *, at_most: bool = False) -> str:
    """Write a figure beside its aim; one that falls short says so, and so does one that there is none of."""
    kept = value <= aim if at_most else value >= aim
    return f"{_round(value)}{unit} (aim {'≤' if at_most else '≥'} {aim:,g}{unit}{'' if kept else ', **short**'})"
