"""How fast a channel may be called: as declared, or as much less as its provider has shown to take.

A provider may throttle below what it was declared to take: the account is shared, its limit was lowered, or it was
never known. Then the rate falls to what was accepted in the second before, and rises again by itself:

- The limit is told by how many calls were accepted, not by how fast we called: whether the provider counts by the
  second or by a bucket, what it accepts is the limit itself as soon as a second of it has been used up.
- What was cut is left alone for `QUIET` seconds, then grows slowly near the known limit and ever faster beyond it.
- It does not grow past `LEAD` times what is used: what nobody calls for has not been shown to go.

`smsgate/ledger/lua/functions/pace.lua` says the same in the Redis that all workers share; a test compares them.
"""

from dataclasses import dataclass
from math import exp
from typing import Final

# What is left of a rate at which the provider throttled, and of what it accepted in the second before: the limit lies
# between, so that the new rate is within 5 % of it.
STEP: Final = 0.97
# Below this share of the rate what was accepted is a sudden rush rather than a second of calling: it is tried soon.
SURE: Final = 0.8
# Seconds that a cut lasts before the rate is tried upwards.
QUIET: Final = 8.0
SOON: Final = 1.0
# The rate then grows by exp(STEEP * s³): 1 % after 5 s of trying, 5 % after 9, 50 % after 17, tenfold after 31.
STEEP: Final = 8e-5
# And by exp(BRISK * s) after a rush.
BRISK: Final = 0.2
# It does not grow beyond so many times what is used.
LEAD: Final = 2.0
# Calls a second that are tried however much is throttled, unless fewer were declared.
LEAST: Final = 1.0
# Seconds for which nothing is called after a cut, doubled with each that follows within `CHAINED` seconds of one: while
# the provider's second is used up, more calls only bring more errors.
HOLD: Final = 0.05
LONGEST_HOLD: Final = 0.4
CHAINED: Final = 1.0
# Where the provider named a time, it is believed as far as this.
LONGEST_WAIT: Final = 30.0
# For so many seconds from a cut slots are booked no further ahead than `NEAR`: what is booked is not cut any more.
WARY: Final = 1.5
NEAR: Final = 0.05
# Seconds after which a cut is forgotten.
FORGET: Final = 600.0


@dataclass(frozen=True, slots=True)
class Cut:
    """The latest cut of a channel's rate: to `rate` calls a second, at `at` seconds.

    `chain` counts the cuts before it that each followed another at once; `sure` is False after a sudden rush.
    """

    rate: float
    at: float
    chain: int = 0
    sure: bool = True


def effective(declared: float, cut: Cut | None, now: float, used: float) -> float:
    """Give the rate (calls a second) at which the channel may be called now.

    `used` is how many calls were accepted in the last second.
    """
    if cut is None or now - cut.at >= FORGET:
        return declared
    tried = max(0.0, now - cut.at - (QUIET if cut.sure else SOON))
    steps = STEEP * tried**3 if cut.sure else BRISK * tried
    return min(declared, cut.rate * exp(min(50.0, steps)), max(cut.rate, LEAD * used))


def cut_down(declared: float, cut: Cut | None, now: float, slot: float, accepted: float) -> Cut:
    """Cut the rate, because the provider throttled a call that was booked since the latest cut.

    `slot` is when that call was to be made, `accepted` how many calls the provider accepted in the second before.
    """
    before = effective(declared, cut, slot, accepted)
    rate = max(STEP * min(before, accepted), min(LEAST, declared))
    chain = cut.chain + 1 if cut is not None and now - cut.at < CHAINED else 0
    return Cut(rate, now, chain, sure=accepted >= SURE * before)


def hold(cut: Cut, wait: float | None) -> float:
    """Give the seconds from a cut for which nothing is called; `wait` is the time that the provider named, if any."""
    return max(min(LONGEST_HOLD, HOLD * 2.0**cut.chain), min(LONGEST_WAIT, wait or 0.0))


def ahead(cut: Cut | None, now: float, most: float) -> float:
    """Give the seconds that a slot may be booked ahead, `most` at the most."""
    return min(most, NEAR) if cut is not None and now - cut.at < WARY else most
