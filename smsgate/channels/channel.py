"""What every channel is: a way to hand a message to a provider, and to ask what the provider knows of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from smsgate.message import MessageId
from smsgate.outcome import Outcome
from smsgate.phone import Phone
from smsgate.trace import Trace


@dataclass(frozen=True, slots=True)
class Submission:
    """One message as a provider takes it; `repr` shows neither number nor parameters."""

    id: MessageId
    phone: Phone
    sign: str
    template: str
    params: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A message that a provider is asked about; `repr` masks the number.

    `since` and `until` are the first and the last attempt that may have reached the provider, in Unix milliseconds.
    """

    id: MessageId
    phone: Phone
    since: int
    until: int


class Channel(Protocol):
    """A provider's account, or one way into it."""

    @property
    def name(self) -> str:
        """Name the channel as operators know it."""
        ...

    def prepare(self) -> None:
        """Load what sending needs, before the first message and before a fork; calls nobody."""
        ...

    def send(self, submission: Submission) -> Outcome:
        """Try once to send; returns how that ended and never raises for what the provider or the network did."""
        ...

    def find(self, inquiry: Inquiry) -> Trace:
        """Ask what the provider knows of a message; sends nothing, and raises nothing for provider or network.

        A provider may need a while to list what it has accepted: `Unknown` moments after an attempt proves little.
        """
        ...
