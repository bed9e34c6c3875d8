"""Find out which of the messages that left together is the one that the provider refuses."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from smsgate.outcome import Fault, Outcome, Refused, Unsent

T = TypeVar("T")

# What may be the fault of a single message, though the provider refuses all of its call for it.
_OF_ONE: Final = frozenset({Fault.MESSAGE, Fault.RECIPIENT, Fault.CONFIGURATION, Fault.UNKNOWN})
# So many messages for themselves refused alike for the sign or the template, and it is that of all.
_ENOUGH: Final = 2


def apart(messages: Sequence[T], send: Callable[[Sequence[T]], Outcome]) -> Iterator[tuple[Sequence[T], Outcome]]:
    """Send messages together, and in ever smaller parts where they are refused; yields each part with its outcome.

    A bad number among a hundred costs 14 calls. A refusal for sign or template is mostly everybody's, so two messages
    are tried first.
    """
    waiting, alike = [messages], Counter[Outcome]()
    while waiting:
        part = waiting.pop()
        outcome = send(part)
        alike[outcome] += len(part) == 1
        if len(part) == 1 or not _may_be_of_one(outcome) or _is_everybodys(outcome, alike):
            yield part, outcome
        else:
            waiting += reversed(_parts(part, outcome))


def _may_be_of_one(outcome: Outcome) -> bool:
    return isinstance(outcome, Refused | Unsent) and outcome.fault in _OF_ONE


def _is_everybodys(outcome: Outcome, alike: Counter[Outcome]) -> bool:
    return _is_configuration(outcome) and alike[outcome] >= _ENOUGH


def _is_configuration(outcome: Outcome) -> bool:
    return isinstance(outcome, Refused) and outcome.fault is Fault.CONFIGURATION


def _parts(part: Sequence[T], outcome: Outcome) -> list[Sequence[T]]:
    if _is_configuration(outcome) and len(part) > _ENOUGH:
        return [part[:1], part[-1:], part[1:-1]]
    middle = len(part) // 2
    return [part[:middle], part[middle:]]
