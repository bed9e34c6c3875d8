"""How often a provider lets one recipient be written to, as it is declared of a channel."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from smsgate.message import Lane
from smsgate.routing.declared import EVERYWHERE, Country, Declared
from smsgate.routing.traits import Traits

# Rolling windows: seconds, and how many messages in any stretch of so many.
Windows = tuple[tuple[float, int], ...]
# What one recipient is counted by: names without a number in them, each with its windows.
Caps = Sequence[tuple[str, Windows]]

_ALLOWANCE: Final = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,3} )?(second|minute|hour|day)s?")
_UNITS: Final[Mapping[str, int]] = MappingProxyType({"second": 1, "minute": 60, "hour": 3600, "day": 86_400})
# Seconds by which a window is taken longer than it is declared: a provider counts when a call arrives, and one that was
# slow may arrive so much later after its slot than the one that follows it.
SLACK: Final = 1.0

Allowance = Annotated[str, StringConstraints(pattern=rf"^{_ALLOWANCE.pattern}$")]


class RecipientLimit(Declared):
    """A limit for each recipient: `allow` is such as `1/minute`, `5/hour`, `100/30 days`; all of them hold.

    What counts together is everything to a number (`number`), under one sign (`sign`), or under one sign with one
    template (`sign+template`), of all these lanes.
    """

    lanes: frozenset[Lane] = frozenset(Lane)
    per: Literal["number", "sign", "sign+template"] = "number"
    allow: tuple[Allowance, ...] = Field(min_length=1)
    countries: frozenset[Country] = frozenset({"CN"})

    def concerns(self, traits: Traits) -> bool:
        return traits.lane in self.lanes and (traits.country in self.countries or EVERYWHERE in self.countries)


# The provider's page on sending frequency. It counts what it accepted, whatever the receipt says, over rolling windows,
# for the mainland only. Enterprises may have other limits: then they are declared.
ALIYUN_CAPS: Final = (
    RecipientLimit(lanes=frozenset({Lane.OTP}), per="sign", allow=("1/minute", "5/hour", "10/day")),
    RecipientLimit(lanes=frozenset({Lane.OTP}), per="number", allow=("40/day",)),
    RecipientLimit(lanes=frozenset({Lane.NOTICE, Lane.BULK}), per="sign+template", allow=("50/day",)),
)
# By provider, what holds where a channel declares nothing.
DEFAULT_CAPS: Final[Mapping[str, Sequence[RecipientLimit]]] = MappingProxyType({"aliyun": ALIYUN_CAPS})


def caps_of(limits: Sequence[RecipientLimit], traits: Traits, sign: str) -> Caps:
    """Name what a message's recipient is counted by, with the windows of each; `sign` is the one that is sent."""
    found: dict[str, Windows] = {}
    for limit in limits:
        if limit.concerns(traits):
            name = _name(limit, traits, sign)
            found[name] = found.get(name, ()) + _windows(limit.allow)
    return tuple(found.items())


def _name(limit: RecipientLimit, traits: Traits, sign: str) -> str:
    """Hash what is counted together: its name shows nothing of the number."""
    counted = ["+".join(sorted(limit.lanes)), limit.per, traits.phone]
    if limit.per != "number":
        counted.append(sign)
    if limit.per == "sign+template":
        counted.append(traits.template)
    return blake2b("\0".join(counted).encode(), digest_size=12).hexdigest()


@lru_cache(maxsize=256)
def _windows(allow: tuple[str, ...]) -> Windows:
    return tuple(_window(one) for one in allow)


def _window(allowance: str) -> tuple[float, int]:
    read = _ALLOWANCE.fullmatch(allowance)
    if read is None:
        raise AssertionError("an allowance is checked where it is declared")
    permits, times, unit = read.groups()
    return int(times or 1) * _UNITS[unit] + SLACK, int(permits)
