"""The result: a row a scenario, and every offence with what is known of it."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.chaos.rehearsal import Plan, Result
from tests.chaos.verdict import Offence, Report

BEGIN: Final = "<!-- made by `make chaos`: begin -->"
END: Final = "<!-- made by `make chaos`: end -->"
_PROMISES: Final = ("lost", "false", "unfinished", "miscounted")
_HEAD: Final = (
    "scenario",
    "accepted",
    "in batches",
    "ended as",
    "once uncertain",
    *_PROMISES,
    "sent twice",
    "longest wait",
    "drained in",
    "what was done",
)
_GRAVEST: Final = ("twice", "lost", "false", "miscounted", "unaccepted", "doubt", "unfinished")
# So many offences are told in full; a broken gateway breaks them by the hundred.
_TOLD: Final = 10
# Seconds for which a message must have waited for its timeline to be told.
_LONG: Final = 10.0


def markdown(results: Sequence[Result]) -> str:
    rows = [_HEAD, tuple("---" for _ in _HEAD), *(_row(result) for result in results)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(result: Result) -> tuple[str, ...]:
    verdict = result.verdict
    accepted = str(verdict.accepted)
    if verdict.accepted < verdict.wanted:
        accepted += f" of {verdict.wanted}"
    return (
        result.scenario.name,
        accepted,
        f"{verdict.rows} in {verdict.batches}",
        ", ".join(f"{times} {state}" for state, times in verdict.states.most_common()),
        str(verdict.once_uncertain),
        *(str(verdict.count(promise)) for promise in _PROMISES),
        str(verdict.extra),
        f"{verdict.longest.seconds:.0f} s",
        f"{result.drained.seconds:.0f} s" if result.drained.in_time else "not in time",
        counted(result.toll) or "nothing",
    )


def counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {times}" for name, times in sorted(counts.items()) if times)


def details(result: Result) -> Iterator[str]:
    """Tell what stands behind a row: what clients and provider saw, and each offence."""
    yield f"clients were told: {counted(result.answers)}"
    yield f"the provider's calls ended: {counted(result.endings)}"
    if result.slowest_stop:
        yield f"the slowest worker took {result.slowest_stop:.0f} s to end on SIGTERM"
    if not result.late_tasks_done:
        yield "some tasks were still held by workers at the end"
    longest = result.verdict.longest
    if longest.report is not None and longest.seconds >= _LONG:
        yield f"the longest wait, {longest.seconds:.0f} s, was that of {longest.report['id']}"
        yield from _timeline(longest.report)
    offences = result.verdict.offences
    for promise in sorted({offence.promise for offence in offences}, key=_GRAVEST.index):
        of_kind = [offence for offence in offences if offence.promise == promise]
        for offence in of_kind[:_TOLD]:
            yield from _offence(offence)
        if len(of_kind) > _TOLD:
            yield f"{promise}: and {len(of_kind) - _TOLD} more"


def _offence(offence: Offence) -> Iterator[str]:
    yield f"{offence.promise}: {offence.message_id}: {offence.why}"
    yield from _timeline(offence.report)


def _timeline(report: Report | None) -> Iterator[str]:
    for event in report["timeline"] if report else ():
        yield f"    {json.dumps(event, ensure_ascii=False)}"


def write(path: Path, results: Sequence[Result], plan: Plan) -> None:
    """Put the table between the markers of a page.

    Raises:
        ValueError: The page has no markers.
    """
    page = path.read_text(encoding="utf-8")
    before, found, rest = page.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not (found and found_end):
        raise ValueError(f"{path.name} has no place for the table: {BEGIN} … {END}")
    made = (
        f"`python -m tests.chaos --messages {plan.messages} --in-batches {plan.in_batches:g} --rate {plan.rate:g} "
        f"--seed {plan.seed}`, "
        f"on a machine with {os.cpu_count()} processors:\n\n{markdown(results)}"
    )
    path.write_text(f"{before}{BEGIN}\n{made}{END}{after}", encoding="utf-8")
