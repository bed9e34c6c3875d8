"""The idempotency keys in use, by messages and by batches; each is claimed with what it stands for (see accept.lua)."""

import redis

from smsgate.ledger import keys
from smsgate.ledger.connection import border


class Claims:
    """The claimed keys in one Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def has(self, client: str, key: str) -> bool:
        """Say whether a client's key is in use.

        Raises:
            StoreUnavailable: Redis is away or silent.
        """
        with border():
            return bool(self._redis.exists(keys.idempotency(client, key)))
