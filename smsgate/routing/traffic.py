"""What kinds of messages a channel is measured by: its health differs by carrier, and codes matter by themselves."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, Self

from smsgate.message import Lane
from smsgate.routing.carriers import Carrier

# Stands for the carrier where there is none.
_NONE: Final = "-"


class TrafficClass(StrEnum):
    """Codes, and everything that can wait: providers take them through different doors of the carriers."""

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


class Kind(NamedTuple):
    """What is measured, and has a health of its own: a channel, and what goes through it."""

    channel: str
    traffic: Traffic

    def __str__(self) -> str:
        return f"{self.channel}|{self.traffic.carrier or _NONE}|{self.traffic.klass}"

    @classmethod
    def read(cls, written: str) -> Self:
        """Read back what `str` wrote. ValueError: it is no kind."""
        channel, carrier, klass = written.split("|")
        return cls(channel, Traffic(TrafficClass(klass), None if carrier == _NONE else Carrier(carrier)))

    @property
    def over_all_carriers(self) -> "Kind":
        return Kind(self.channel, Traffic(self.traffic.klass))
