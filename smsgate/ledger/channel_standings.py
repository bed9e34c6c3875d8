"""How the channels stand, for whoever only looks: web processes and the terminal, which call none of them."""

import json
from collections.abc import Mapping
from typing import Final, cast

import redis

from smsgate.ledger import keys
from smsgate.ledger.channel_states import Paused, state_of
from smsgate.ledger.connection import border
from smsgate.routing.breaker import SEND

PAUSED: Final = "paused"


class ChannelStandings:
    """The channels in one Redis. Everything here raises StoreUnavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def read(self) -> dict[str, str]:
        """Say of each channel that does not simply go how it stands: `open`, `half-open` or `paused`."""
        with border():
            pipe = self._redis.pipeline(transaction=False)
            pipe.hgetall(keys.BREAKERS)
            pipe.hkeys(keys.CHANNELS_PAUSED)
            breakers, paused = pipe.execute()
        parted = ((*name.partition("|"), line) for name, line in cast("dict[str, str]", breakers).items())
        known = {channel: str(state_of(line, 0).phase) for channel, _, operation, line in parted if operation == SEND}
        return known | dict.fromkeys(cast("list[str]", paused), PAUSED)

    def paused(self) -> Mapping[str, Paused]:
        """Read which channels an operator paused."""
        with border():
            known = cast("dict[str, str]", self._redis.hgetall(keys.CHANNELS_PAUSED))
        return {channel: Paused(**json.loads(line)) for channel, line in known.items()}

    def pause(self, channel: str, reason: str, at: int) -> None:
        """Send nothing through a channel until it is resumed; `at` in Unix milliseconds."""
        with border():
            self._redis.hset(keys.CHANNELS_PAUSED, channel, json.dumps({"reason": reason, "at": at}))

    def resume(self, channel: str) -> bool:
        """Let a channel go on; False when it was not paused."""
        with border():
            return bool(self._redis.hdel(keys.CHANNELS_PAUSED, channel))
