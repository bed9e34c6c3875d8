"""Find out which of the messages that left together is the one that the provider refuses."""

from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from smsgate.flow.hold import Held
from smsgate.outcome import Fault, Outcome, Refused, Sent, Unsent

T = TypeVar("T")
End = Outcome | Held

# What may be the fault of a single message, though the provider refuses all of its call for it.
_OF_ONE: Final = frozenset({Fault.MESSAGE, Fault.VARIABLES, Fault.RECIPIENT, Fault.CONFIGURATION, Fault.UNKNOWN})
# So many messages for themselves refused alike for the sign or the template, and it is that of all.
_ENOUGH: Final = 2


def apart(
    messages: Sequence[T], send: Callable[[Sequence[T]], End], variables: Callable[[T], Hashable]
) -> Iterator[tuple[Sequence[T], End]]:
    """Send messages together, and in ever smaller parts where they are refused; yields each part with its outcome.

    A bad number among a hundred costs 14 calls. A refusal for sign or template is mostly everybody's, so two messages
    are tried first. One for the variables that a message brings holds for all that bring the same: `variables` tells
    which, and a column that is misspelt costs two calls.
    """
    search = _Search(send, variables)
    waiting = [messages]
    while waiting:
        part = yield from search.without_the_known(waiting.pop())
        if not part:
            continue
        outcome = search.call(part)
        if search.is_final(part, outcome):
            yield part, outcome
        else:
            waiting += reversed(search.parts(part, outcome))


@dataclass(slots=True)
class _Search(Generic[T]):
    """What the calls have told so far."""

    send: Callable[[Sequence[T]], End]
    variables: Callable[[T], Hashable]
    alike: Counter[End] = field(default_factory=Counter)  # how many messages by themselves ended so
    refused: dict[Hashable, End] = field(default_factory=dict)  # by what variables they bring
    sent: set[Hashable] = field(default_factory=set)  # variables with which messages were sent
    tried: set[Hashable] = field(default_factory=set)  # for which a message has been singled out
    is_divided: bool = False

    def without_the_known(self, part: Sequence[T]) -> Generator[tuple[Sequence[T], End], None, Sequence[T]]:
        """Yield those whose refusal is known without a call; returns the others."""
        for variables, outcome in self.refused.items():
            same = [one for one in part if self.variables(one) == variables]
            if same:
                yield same, outcome
        return [one for one in part if self.variables(one) not in self.refused] if self.refused else part

    def call(self, part: Sequence[T]) -> End:
        outcome = self.send(part)
        if len(part) == 1:
            self.alike[outcome] += 1
            if _is(outcome, Fault.VARIABLES) and self.variables(part[0]) not in self.sent:
                self.refused[self.variables(part[0])] = outcome
        if isinstance(outcome, Sent) and self.is_divided:
            self.sent.update(map(self.variables, part))
        return outcome

    def is_final(self, part: Sequence[T], outcome: End) -> bool:
        """Say whether the outcome holds for each of the part."""
        return len(part) == 1 or not _may_be_of_one(outcome) or self._is_everybodys(outcome)

    def _is_everybodys(self, outcome: End) -> bool:
        return _is(outcome, Fault.CONFIGURATION) and self.alike[outcome] >= _ENOUGH

    def parts(self, part: Sequence[T], outcome: End) -> list[Sequence[T]]:
        """Divide a part that was refused: into one or two who may speak for all, and the others; or into halves."""
        self.is_divided = True
        if _is(outcome, Fault.CONFIGURATION) and len(part) > _ENOUGH and self._is_first(outcome):
            return [part[:1], part[-1:], part[1:-1]]
        if _is(outcome, Fault.VARIABLES):
            kinds = {self.variables(one) for one in part}
            if len(kinds) == 1 and self._is_first(kinds.pop()):
                return [part[:1], part[1:]]
        middle = len(part) // 2
        return [part[:middle], part[middle:]]

    def _is_first(self, what: Hashable) -> bool:
        """Say whether nobody was singled out for it: who did, and was sent, spoke for himself only."""
        known = what in self.tried
        self.tried.add(what)
        return not known


def _is(outcome: End, fault: Fault) -> bool:
    return isinstance(outcome, Refused) and outcome.fault is fault


def _may_be_of_one(outcome: End) -> bool:
    return isinstance(outcome, Refused | Unsent) and outcome.fault in _OF_ONE
