"""How long the oldest messages wait."""

from collections.abc import Mapping
from typing import Final

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.message import Lane

# Groups of a lane whose oldest message is looked at; those that have been ready for the longest.
_MOST_GROUPS: Final = 20


class Backlog:
    """What waits in one Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._script = client.register_script(scripts.source("backlog"))

    def ages(self, now: int) -> Mapping[Lane, float]:
        """Tell for how many seconds the oldest message of each lane waits that could go; rows of batches do not count.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with border():
            found = self._script(
                keys=[key for lane in Lane for key in (keys.waiting(lane), keys.parked(lane), keys.groups(lane))],
                args=[now, keys.RECORD_OF, _MOST_GROUPS, *(keys.group(lane) for lane in Lane)],
            )
        return {lane: (now - int(since)) / 1000 if since else 0.0 for lane, since in zip(Lane, found, strict=True)}
