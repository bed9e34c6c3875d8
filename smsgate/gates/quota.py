"""Which limits at the door does a message come under, and for whom does each count?"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, model_validator

from smsgate.message import Lane
from smsgate.routing.declared import Declared

# Days and months of budgets are those of the provider's bills. China has had no summer time since 1991, and a system
# without a database of zones knows it too.
SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
# The log keeps an entry for each message: above this it costs more than its exactness is worth.
LONGEST_LOG: Final = 10_000
MOST: Final = 1_000_000_000
_LONGEST_DAYS: Final = 366
_UNITS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "month": 30 * 86_400}
_ALLOWED: Final = re.compile(r"\s*([0-9]{1,10})\s*/\s*([0-9]{1,8})?\s*([a-z]+?)s?\s*")
_EXAMPLE: Final = "write a number, a slash and a span, such as 5/hour, 100/10seconds or 100000/day"
# Sets of limits that are remembered, each for a client, a lane and a template.
_MOST_KNOWN: Final = 4_096


class Per(StrEnum):
    """For each what a limit counts by itself."""

    CLIENT = "client"
    RECIPIENT = "recipient"
    TEMPLATE = "template"
    SIGN = "sign"
    LANE = "lane"


class Algorithm(StrEnum):
    """How a limit counts; docs/limits.md holds them against each other."""

    GCRA = "gcra"
    FIXED_WINDOW = "fixed_window"
    SLIDING_LOG = "sliding_log"
    SLIDING_COUNTER = "sliding_counter"


class Counts(StrEnum):
    """What a limit counts: a batch of a thousand rows is a thousand messages and one request."""

    MESSAGES = "messages"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many in a span of time: `number` in `count` units."""

    number: int
    count: int
    unit: str

    @property
    def seconds(self) -> int:
        """The span's length; a month that slides has 30 days."""
        return self.count * _UNITS[self.unit]

    def window(self, now: int) -> tuple[int, int]:
        """Say when the calendar's window round `now` begins and ends; all in Unix milliseconds.

        Windows are Shanghai's days and months, and shorter ones begin on the full minute, hour and so on.
        """
        if self.unit == "month":
            return self._months(datetime.fromtimestamp(now / 1000, SHANGHAI))
        offset, span = 8 * 3_600_000, self.seconds * 1000
        start = (now + offset) // span * span - offset
        return start, start + span

    def _months(self, now: datetime) -> tuple[int, int]:
        first = (now.year * 12 + now.month - 1) // self.count * self.count
        start, end = (datetime(at // 12, at % 12 + 1, 1, tzinfo=SHANGHAI) for at in (first, first + self.count))
        return int(start.timestamp() * 1000), int(end.timestamp() * 1000)

    def __str__(self) -> str:
        return f"{self.number}/{self.unit}" if self.count == 1 else f"{self.number}/{self.count}{self.unit}s"


def allowance(written: object) -> Allowance:
    """Read an allowance such as `5/hour`.

    Raises:
        ValueError: It is none; the text says how one is written.
    """
    if isinstance(written, Allowance):
        return written
    found = _ALLOWED.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        raise ValueError(f"is no allowance; {_EXAMPLE}")
    number, count, unit = int(found[1]), int(found[2] or 1), found[3]
    if unit not in _UNITS:
        raise ValueError(f"knows the units {', '.join(_UNITS)}; {_EXAMPLE}")
    if not 1 <= number <= MOST:
        raise ValueError(f"must let through at least 1 and at most {MOST}; {_EXAMPLE}")
    if not 1 <= count * _UNITS[unit] <= _LONGEST_DAYS * 86_400:
        raise ValueError(f"must span at least a second and at most 12 months; {_EXAMPLE}")
    return Allowance(number, count, unit)


class Limit(Declared):
    """A limit as it is declared: for whom, of what, how much.

    `per` names what it counts apart ([] counts all together). `clients` and `templates` are globs; who sends by
    `.delay()` or the command line is the client "".
    """

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    per: frozenset[Per] = frozenset()
    lanes: frozenset[Lane] = frozenset(Lane)
    clients: tuple[str, ...] = ("*",)
    templates: tuple[str, ...] = ("*",)
    allow: Annotated[Allowance, PlainValidator(allowance, json_schema_input_type=str)]
    algorithm: Algorithm = Field(default=Algorithm.SLIDING_LOG, validate_default=True)
    counts: Counts = Counts.MESSAGES

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.counts is Counts.REQUESTS and Per.RECIPIENT in self.per:
            raise ValueError("counts: a request may have many recipients; count messages, or take recipient out of per")
        if self.algorithm is Algorithm.SLIDING_LOG and self.allow.number > LONGEST_LOG:
            raise ValueError(
                f"algorithm: sliding_log remembers each message, which suits up to {LONGEST_LOG:,}; "
                "choose fixed_window (a budget), sliding_counter or gcra"
            )
        return self

    @property
    def is_budget(self) -> bool:
        """Say whether it counts by days of the calendar, or more; what it lets through comes back only then."""
        return self.algorithm is Algorithm.FIXED_WINDOW and self.allow.unit in ("day", "month")

    def fits(self, client: str | None, lane: Lane | None, template: str | None) -> bool:
        """Say whether such a message comes under it; what is None is left open."""
        is_of_lane = lane is None or lane in self.lanes
        return is_of_lane and _is_any(client, self.clients) and _is_any(template, self.templates)

    @property
    def asks_client_only(self) -> bool:
        """Say whether it can be decided before anything is known but who asks."""
        return self.per <= {Per.CLIENT} and self.lanes == frozenset(Lane) and "*" in self.templates


def _is_any(name: str | None, globs: Iterable[str]) -> bool:
    return name is None or any(fnmatchcase(name, glob) for glob in globs)


def _named_once(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    names = [limit.name for limit in limits]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"name: {', '.join(twice)} is given twice; each limit has a name of its own")
    return limits


# What a configuration declares under `[[limits]]`.
Limits = Annotated[tuple[Limit, ...], AfterValidator(_named_once)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked to pass: a message, or a request whose messages have these in common."""

    client: str
    lane: Lane
    template: str
    sign: str

    def subject(self, limit: Limit, recipient: str = "") -> tuple[str, ...]:
        """Name whom a limit counts for: what it is per, in the same order always."""
        known: dict[Per, Any] = {
            Per.CLIENT: self.client,
            Per.RECIPIENT: recipient,
            Per.TEMPLATE: self.template,
            Per.SIGN: self.sign,
            Per.LANE: self.lane,
        }
        return tuple(str(value) for per, value in known.items() if per in limit.per)


class Table:
    """The declared limits, by what comes under them: those that free soonest first, budgets last."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.limits = tuple(sorted(limits, key=lambda limit: (limit.is_budget, limit.allow.seconds)))
        self._known: dict[tuple[str, Lane, str], tuple[Limit, ...]] = {}

    def fitting(self, asked: Asked) -> tuple[Limit, ...]:
        """Give the limits that a message comes under."""
        key = (asked.client, asked.lane, asked.template)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:  # clients make up names of templates
                self._known.clear()
            found = self._known[key] = tuple(limit for limit in self.limits if limit.fits(*key))
        return found
