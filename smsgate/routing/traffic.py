"""What kinds of messages a channel is measured by: its health differs by carrier, and codes matter by themselves."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from smsgate.message import Lane
from smsgate.routing.carriers import Carrier


class TrafficClass(StrEnum):
    """Codes, and everything that can wait."""

    OTP = "otp"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Traffic:
    """A kind of messages; `carrier` is None abroad, where it is not known, and for a call that carries several."""

    klass: TrafficClass
    carrier: Carrier | None = None

    @classmethod
    def of(cls, lane: Lane, carrier: Carrier | None = None) -> Self:
        """Name the kind that a message of this lane and carrier is."""
        return cls(TrafficClass.OTP if lane is Lane.OTP else TrafficClass.OTHER, carrier)
