"""What is seen of a channel's doing: the counts that weights are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, Self

from smsgate.message import Lane
from smsgate.routing.carriers import Carrier

# Seconds of the sliding windows that an observation counts over: how calls ended, and what became of what was sent.
CALLS_WINDOW: Final = 10
RECEIPTS_WINDOW: Final = 30
# Seconds after which a receipt should be here; what was sent later is not counted yet. Most take 2 to 10 s.
RECEIPT_DUE: Final = 30


class LaneClass(StrEnum):
    """Codes and all the rest: providers take them through different doors of the carriers."""

    OTP = "otp"
    OTHER = "other"


def lane_class(lane: Lane) -> LaneClass:
    return LaneClass.OTP if lane is Lane.OTP else LaneClass.OTHER


class Pair(NamedTuple):
    """What has a health of its own: a channel on its way to a carrier, for a class of lanes."""

    channel: str
    carrier: Carrier | None
    lanes: LaneClass

    def __str__(self) -> str:
        return f"{self.channel}/{self.carrier or '-'}/{self.lanes}"

    @classmethod
    def read(cls, written: str) -> Self:
        """Read back what `str` wrote. ValueError: it is no pair."""
        channel, carrier, lanes = written.split("/")
        return cls(channel, None if carrier == "-" else Carrier(carrier), LaneClass(lanes))


@dataclass(frozen=True, slots=True)
class Observation:
    """A pair's sliding windows as they are now; times in ms.

    `ok` and `failed` are calls of the last `CALLS_WINDOW` seconds; only faults of the provider are failures, for what a
    message or its number is refused is nobody's illness. `due` are messages that were sent more than `RECEIPT_DUE`
    seconds ago, and no more than `RECEIPTS_WINDOW` before that; `received` and `delivered` are how many of those have a
    receipt, and one that says delivered. `receipt_delay_p50` is from sending to receipt.
    """

    ok: int = 0
    failed: int = 0
    latency_p50: float | None = None
    latency_p95: float | None = None
    due: int = 0
    received: int = 0
    delivered: int = 0
    receipt_delay_p50: float | None = None


Observations = Mapping[Pair, Observation]
