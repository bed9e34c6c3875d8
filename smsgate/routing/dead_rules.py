"""What of a routing table can never come to anything: found before it is missed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import product
from typing import Any, Final

from smsgate.message import Lane
from smsgate.routing.carriers import Carrier
from smsgate.routing.declared import EVERYWHERE
from smsgate.routing.table import CONDITIONS, Rule, Table


class Gravity(StrEnum):
    """An error loses messages or is surely not meant; a warning may be."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `where` in the file, what, and how to put it right."""

    gravity: Gravity
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.gravity}: {self.where}: {self.text}"


def problems(table: Table) -> list[Problem]:
    """Find dead configuration: errors first, each in the order of the file."""
    found = [*_undeclared(table), *_covered(table), *_unable(table), *_lanes_without(table), *_idle(table)]
    return sorted(found, key=lambda problem: problem.gravity is not Gravity.ERROR)


def _numbered(table: Table) -> Iterator[tuple[str, Rule]]:
    return ((f"routes, rule {number}", rule) for number, rule in enumerate(table.rules, 1))


def _undeclared(table: Table) -> Iterator[Problem]:
    declared = {profile.name for profile in table.profiles}
    known = ", ".join(sorted(declared)) or "none"
    for where, rule in _numbered(table):
        for name in dict.fromkeys(rule.channels):
            if name not in declared:
                text = f"names channel {name}, which is not declared; declare [channels.{name}] or name one of: {known}"
                yield Problem(Gravity.ERROR, where, text)


def _unable(table: Table) -> Iterator[Problem]:
    """Find rules none of whose channels carries a lane or a country that the rule asks for."""
    profiles = {profile.name: profile for profile in table.profiles}
    for where, rule in _numbered(table):
        named = [profiles[name] for name in rule.channels if name in profiles]
        for lane in (rule.lane or ()) if named else ():
            if not any(lane in profile.lanes for profile in named):
                text = f'none of its channels carries lane {lane}; add "{lane}" to the lanes of one, or name another'
                yield Problem(Gravity.ERROR, where, text)
        for country in (rule.country or ()) if named else ():
            if all(profile.countries.isdisjoint((country, EVERYWHERE)) for profile in named):
                text = f'none of its channels goes to {country}; add "{country}" to the countries of one'
                yield Problem(Gravity.ERROR, where, text)


def _lanes_without(table: Table) -> Iterator[Problem]:
    for lane in Lane:
        if not any(lane in profile.lanes for profile in table.profiles):
            text = f'no channel carries lane {lane}: its messages cannot leave; add "{lane}" to the lanes of one'
            yield Problem(Gravity.ERROR, "channels", text)


def _idle(table: Table) -> Iterator[Problem]:
    if not table.rules:
        return
    used = {name for rule in table.rules for name in rule.channels}
    all_taken = any(all(getattr(rule, name) is None for name in CONDITIONS) for rule in table.rules)
    told = "and a rule takes every message, so that it is never used" if all_taken else "only what no rule fits uses it"
    for profile in table.profiles:
        if profile.name not in used:
            text = f"is in no rule, {told}; name it in a rule, or remove it"
            yield Problem(Gravity.WARNING, f"channels.{profile.name}", text)


# Stands for all values that no rule names. It comes first: most rules have these left, and are done with.
_OTHER: Final = object()


def _covered(table: Table) -> Iterator[Problem]:
    """Find rules that leave nothing to themselves: an earlier one, or several together, take all that they would.

    Of templates only globs are known: one is taken for covered by the same, or by one that fits its text.
    """
    for number, (where, rule) in enumerate(_numbered(table)):
        takers = _takers(rule, table.rules[:number])
        if takers:
            named = ", ".join(str(taker) for taker in sorted(takers))
            before = f"rule {named} before it takes" if len(takers) == 1 else f"rules {named} before it take"
            text = f"can never fit: {before} all that it would; move it up, or remove it"
            yield Problem(Gravity.ERROR, where, text)


def _takers(rule: Rule, earlier: tuple[Rule, ...]) -> set[int]:
    """Name by number the earlier rules that take all of this one's messages; none: something is left."""
    takers = set[int]()
    for cell in product(*(_values(name, rule, earlier) for name in CONDITIONS)):
        taker = next((number for number, other in enumerate(earlier, 1) if _takes(other, cell)), None)
        if taker is None:
            return set()
        takers.add(taker)
    return takers


def _values(condition: str, rule: Rule, earlier: Iterable[Rule]) -> Iterable[Any]:
    own = getattr(rule, condition)
    if own is not None:
        return own  # type: ignore[no-any-return]  # a tuple, by the model
    named = {value for other in earlier for value in getattr(other, condition) or ()}
    match condition:
        case "lane":
            return tuple(Lane)
        case "carrier":
            return (_OTHER, *Carrier)
        case "template":
            return (_OTHER,)
        case _:
            return (_OTHER, *named)


def _takes(rule: Rule, cell: tuple[Any, ...]) -> bool:
    *plain, template = cell
    wanted = [getattr(rule, name) for name in CONDITIONS]
    return all(want is None or value in want for want, value in zip(wanted, plain, strict=False)) and (
        wanted[-1] is None or any(glob == "*" or _within(template, glob) for glob in wanted[-1])
    )


def _within(template: object, glob: str) -> bool:
    """Say whether all that one glob fits the other fits too; in doubt it does not."""
    if not isinstance(template, str):
        return False
    if template == glob:
        return True
    if "[" in template or ("[" in glob and set(template) & set("*?")):
        return False
    # No template code has these signs, so that only a star of `glob` can stand for a star, and no letter for a `?`.
    texts = (template.replace("?", "\x01").replace("*", few) for few in ("", "\x02\x03"))
    return all(fnmatchcase(text, glob) for text in texts)
