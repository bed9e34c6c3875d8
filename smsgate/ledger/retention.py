"""For how long a record is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from smsgate.ledger import keys
from smsgate.states import FINAL, RESTING, State


@dataclass(frozen=True, slots=True)
class Retention:
    """Seconds for which a record is kept after its end: `final`, or what `by_state` says of the state it ended in.

    A dead letter is no end: it is kept as long as an open message, unless `by_state` says otherwise.
    """

    final: int
    by_state: Mapping[str, int] = field(default_factory=dict)

    def of(self, state: State) -> int:
        """Seconds for which a record in this state is kept."""
        usual = self.final if state in FINAL else keys.OPEN_RECORD_TTL
        return self.by_state.get(state, usual) if state in RESTING else usual
