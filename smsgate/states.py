"""The states of a message, and which may follow which.

This table is the only place that says so: the ledger refuses any change that is not in it.
"""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a message stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNCERTAIN = "uncertain"
    DEAD = "dead"


# A receipt may overtake the worker that is still writing down the provider's answer, so `sending` and `uncertain` can
# end in a receipt's state directly. A message that is to be sent again, or was given up, because its provider did not
# know it may turn out to have been sent after all: then it is not sent a second time.
LATE_TRUTH: Final[frozenset[State]] = frozenset({State.SENT, State.DELIVERED, State.UNDELIVERED})
FOLLOWS: Final[dict[State, frozenset[State]]] = {
    State.QUEUED: frozenset(
        {
            State.SENDING,
            State.SENT,
            State.DELIVERED,
            State.UNDELIVERED,
            State.REJECTED,
            State.EXPIRED,
            State.CANCELLED,
            State.DEAD,
        }
    ),
    State.SENDING: frozenset(
        {
            State.QUEUED,
            State.SENT,
            State.DELIVERED,
            State.UNDELIVERED,
            State.FAILED,
            State.UNCERTAIN,
            State.DEAD,
        }
    ),
    State.SENT: frozenset({State.DELIVERED, State.UNDELIVERED}),
    State.UNCERTAIN: frozenset(
        {
            State.QUEUED,
            State.SENT,
            State.DELIVERED,
            State.UNDELIVERED,
            State.FAILED,
            State.EXPIRED,
            State.CANCELLED,
            State.DEAD,
        }
    ),
    State.DEAD: frozenset({State.QUEUED, State.CANCELLED, *LATE_TRUTH}),
    State.DELIVERED: frozenset(),
    State.UNDELIVERED: frozenset(),
    State.FAILED: LATE_TRUTH,
    State.REJECTED: frozenset(),
    State.EXPIRED: LATE_TRUTH,
    State.CANCELLED: LATE_TRUTH,
}

# Nothing more is done for a message in one of these; only that it was sent after all may yet come out.
FINAL: Final[frozenset[State]] = frozenset(
    {State.DELIVERED, State.UNDELIVERED, State.FAILED, State.REJECTED, State.EXPIRED, State.CANCELLED}
)
# A dead letter rests until an operator replays or drops it: readable as an end, yet not the last word.
RESTING: Final[frozenset[State]] = FINAL | {State.DEAD}

# What happens next to a message in these states only its provider can say.
ASKED_ABOUT: Final[frozenset[State]] = frozenset({State.SENT, State.UNCERTAIN})


def may_follow(old: State, new: State) -> bool:
    """Say whether a message in `old` may pass into `new`."""
    return new in FOLLOWS[old]


def predecessors(new: State) -> frozenset[State]:
    """Name the states from which a message may pass into `new`."""
    return frozenset(state for state, following in FOLLOWS.items() if new in following)
