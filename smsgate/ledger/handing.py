"""Hand what is due in an index to the workers of a queue."""

from enum import StrEnum

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.queues import Queue


class Handed(StrEnum):
    """What came of handing something over."""

    HANDED = "handed"
    TAKEN = "taken"  # somebody was faster
    FULL = "full"  # the queue has enough


class Handing:
    """Moves due entries of one Redis into queues, each once."""

    def __init__(self, client: redis.Redis) -> None:
        self._hand = client.register_script(scripts.source("hand"))

    def __call__(  # noqa: PLR0913 - from where, what, to where
        self, index: str, entry: str, seen: int, until: int, *, queue: Queue, task: str, most: int
    ) -> Handed:
        """Queue the task of an entry that stands in `index` under the score `seen`; it is due again at `until`.

        Raises:
            StoreUnavailable: It is due still, or the answer was lost.
        """
        with border():
            return Handed(self._hand(keys=[index, queue, keys.AT_BROKER], args=[entry, seen, until, task, most]))
