"""What every channel is: a way to hand a message to a provider, and to ask what the provider knows of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from smsgate.message import MessageId
from smsgate.outcome import Outcome
from smsgate.phone import Phone
from smsgate.trace import Trace

# The most messages that are taken together, whatever a provider takes: Aliyun's SendBatchSms takes as many.
MOST_IN_A_CHUNK: Final = 100


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

    `since` and `until` are the first and the last attempt that may have reached the provider, in Unix milliseconds;
    `chunks` are those in which it was sent together with others.
    """

    id: MessageId
    phone: Phone
    since: int
    until: int
    chunks: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Name all under which the provider may know the message: its own id, and the chunks that it was sent in."""
        return frozenset({self.id, *self.chunks})


class Channel(Protocol):
    """A provider's account, or one way into it."""

    @property
    def name(self) -> str:
        """Name the channel as operators know it."""
        ...

    @property
    def most_together(self) -> int:
        """Tell how many messages, each with variables of its own, one call takes: up to `MOST_IN_A_CHUNK`."""
        ...

    @property
    def reports_by_provider_id(self) -> bool:
        """Say whether the provider's reports name a message by the provider's id only, which is then noted."""
        ...

    def prepare(self) -> None:
        """Load what sending needs, before the first message and before a fork; calls nobody."""
        ...

    def send(self, submission: Submission) -> Outcome:
        """Try once to send; returns how that ended and never raises for what the provider or the network did."""
        ...

    def send_chunk(self, chunk_id: str, submissions: Sequence[Submission]) -> Outcome:
        """Try once to send messages of one template together, all or none, as `send` does one; no number twice.

        The provider knows each by `chunk_id` and its number. Takes up to `most_together`.
        """
        ...

    def find(self, inquiry: Inquiry) -> Trace:
        """Ask what the provider knows of a message; sends nothing, and raises nothing for provider or network.

        A provider may need a while to list what it has accepted: `Unknown` moments after an attempt proves little.
        """
        ...
