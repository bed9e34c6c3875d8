"""What one attempt at a client's webhook can end in: five values, matched exhaustively."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivered:
    """The endpoint answered with a 2xx status."""

    status: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """The same webhook will never be taken there: not to be tried again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Not taken, or not surely; another try may be taken, after `retry_after` seconds where the endpoint named them.

    `down` says that the endpoint itself is in trouble, not this one request.
    """

    reason: str
    retry_after: float | None = None
    down: bool = False


@dataclass(frozen=True, slots=True)
class Unasked:
    """The endpoint has failed too often of late and was left alone: this was no attempt."""


@dataclass(frozen=True, slots=True)
class Crowded:
    """So many calls to this endpoint are under way that others shall have the threads: this was no attempt."""


Outcome = Delivered | Rejected | Failed | Unasked | Crowded
