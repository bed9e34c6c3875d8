"""The limits at the door as the rows of one batch meet them, a piece at a time."""

from collections.abc import Iterable, Mapping, Sequence

from smsgate.errors import LimitExceeded
from smsgate.flow.admit import Admit
from smsgate.flow.permits import Admitted
from smsgate.ledger.batch import Row
from smsgate.ledger.batches import Batches
from smsgate.message import Common


class RowLimits:
    """What lets rows through."""

    def __init__(self, admit: Admit, batches: Batches, common: Common, client: str) -> None:
        self._admit, self._batches, self._common, self._client = admit, batches, common, client
        self._admitted = Admitted([])
        self._places: Mapping[int, int] = {}

    def refused(self, batch_id: str, rows: Sequence[Row], *, again: bool) -> Mapping[int, LimitExceeded]:
        """Take permits for the rows of a piece; says by number which rows got none, and why.

        `again` says that some may have been accepted before: they count no second time, and are never refused.

        Raises:
            StoreUnavailable: Redis is away or silent.
        """
        there = self._batches.there(batch_id, [row.index for row in rows]) if again else frozenset()
        new = [row for row in rows if row.index not in there]
        self._places = {row.index: place for place, row in enumerate(new)}
        self._admitted = self._admit.rows(self._common, self._client, [row.to for row in new])
        refusals = zip(new, self._admitted.refusals, strict=True)
        return {row.index: refusal for row, refusal in refusals if refusal}

    def give_back(self, indexes: Iterable[int]) -> None:
        """Give back the permits of rows of the latest piece that could not be written."""
        self._admit.give_back(self._admitted, [self._places[index] for index in indexes if index in self._places])
