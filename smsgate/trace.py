"""What a provider knows of a message whose attempt may have been sent: three values, matched exhaustively."""

from dataclasses import dataclass

from smsgate.outcome import Fault
from smsgate.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Known:
    """The provider has accepted the message; `receipt` is its verdict, None while there is none."""

    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The provider answered properly, and whole, and has no such message."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """It could not be learnt: nothing follows for the message, which may have been sent as before."""

    reason: str
    fault: Fault


Trace = Known | Unknown | NoAnswer
