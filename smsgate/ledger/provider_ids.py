"""The ids under which providers know messages, for reports that bring no other: by each, whose channel sent what."""

from collections.abc import Sequence
from typing import cast

import redis

from smsgate.ledger import keys
from smsgate.ledger.connection import border
from smsgate.message import MessageId


class ProviderIds:
    """The index in one Redis; an entry lapses after four days, by when the provider says no more of a message."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def note(self, channel: str, provider_id: str, message_id: MessageId) -> None:
        """Note that a channel has sent a message, and how its provider calls it; twice is as good as once.

        Raises:
            StoreUnavailable: Perhaps it is noted; the same call may be made again.
        """
        key = keys.provider_id(provider_id)
        with border():
            pipe = self._redis.pipeline(transaction=False)
            pipe.hset(key, channel, message_id)
            pipe.expire(key, keys.PROVIDER_ID_TTL)
            pipe.execute()

    def look_up(self, provider_ids: Sequence[str]) -> list[tuple[MessageId, ...]]:
        """Name the messages known by each id: as a rule one, or none that is known yet.

        Two providers may use the same id: compare the number.

        Raises:
            StoreUnavailable: Redis is away or silent.
        """
        if not provider_ids:
            return []
        with border():
            pipe = self._redis.pipeline(transaction=False)
            for provider_id in provider_ids:
                pipe.hvals(keys.provider_id(provider_id))
            found = cast("list[list[MessageId]]", pipe.execute())
        return [tuple(ids) for ids in found]
