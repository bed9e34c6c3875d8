"""What one attempt at a provider can end in: four values, matched exhaustively.

A channel maps every answer and every exception of its SDK to one of them; nothing else
leaves a channel, so that nothing of the SDK (which puts numbers and parameters into its
URLs and exceptions) can reach a log.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Fault(StrEnum):
    """Whose fault it was that an attempt did not send."""

    PROVIDER = "provider"  # platform trouble or the network: the provider is having a bad day
    THROTTLED = "throttled"  # the account's or API's rate: slow down
    RECIPIENT = "recipient"  # a limit of this number
    ACCOUNT = "account"  # money, quota, suspension: every message fails until an operator acts
    CREDENTIALS = "credentials"  # key, permission, clock, region: likewise
    CONFIGURATION = "configuration"  # this sign or template: every message with it fails
    VARIABLES = "variables"  # the template has others: every message that brings these fails
    MESSAGE = "message"  # this message can never be sent
    UNKNOWN = "unknown"  # a code that the table does not know


# What an operator can put right, so that the same message may go after all: such a message is a dead letter, not lost.
MENDABLE: Final = frozenset({Fault.ACCOUNT, Fault.CREDENTIALS, Fault.CONFIGURATION})


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider accepted the message under its own id."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Unsent:
    """Surely not sent; another try may succeed, not before `wait` seconds where the provider named a time."""

    reason: str
    fault: Fault
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Surely not sent, and the same message never will be."""

    reason: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Uncertain:
    """May have been sent: must be asked, never blindly sent again."""

    reason: str


Outcome = Sent | Unsent | Refused | Uncertain
