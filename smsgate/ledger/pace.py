"""What Redis holds of a channel's pace, as it is read for people (see `lua/functions/pace.lua`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from smsgate.routing.pacing import Cut, effective

# Microseconds of one of the fields that count calls, and how many of them there are before they are used anew.
TENTH: Final = 100_000
RING: Final = 64
_STAMP: Final = 10**10
_BOOKED: Final = 10**5


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a second: what is declared, what may be called now, and what was accepted in the last second."""

    declared: float | None
    effective: float | None
    used: float


def rate_of(pace: Mapping[str, str], now: int) -> Rate:
    """Read a rate; `now` is Redis's own time, in Unix microseconds."""
    used = accepted(pace, now)
    if "declared" not in pace:
        return Rate(None, None, used)
    declared = float(pace["declared"])
    return Rate(declared, effective(declared, cut_of(pace), now / 1e6, used), used)


def cut_of(pace: Mapping[str, str]) -> Cut | None:
    """Read the latest cut."""
    if "cut" not in pace:
        return None
    return Cut(float(pace["rate"]), int(pace["cut"]) / 1e6, int(pace["chain"]), pace["sure"] == "1")


def accepted(pace: Mapping[str, str], at: int) -> float:
    """Count the calls that were accepted in the second before `at`."""
    tenths = [_accepted_in(pace, at // TENTH - back) for back in range(11)]
    return sum(tenths[:10]) + tenths[10] * (1 - at % TENTH / TENTH)


def _accepted_in(pace: Mapping[str, str], tenth: int) -> int:
    value = int(pace.get(str(tenth % RING), "0")) - tenth % 2**18 * _STAMP
    return value // _BOOKED - value % _BOOKED if 0 <= value < _STAMP else 0
