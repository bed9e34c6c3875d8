"""The keys with which clients call the HTTP API. Only their hashes are stored."""

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Final, cast

import redis

from smsgate.ledger import keys
from smsgate.ledger.connection import border

# How long a web process trusts what it has read: a revoked key works at most this much longer, in seconds.
TRUST: Final = 5.0
_PREFIX: Final = "smsgate"
# Far more keys than any gateway has clients; a flood of made-up key ids must not fill the memory.
_MOST_TRUSTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed: never the secret."""

    id: str
    client: str
    created_at: int
    digest: str
    operator: bool = False  # may pause, resume and set the level of degradation


class ApiKeys:
    """The keys in one Redis.

    The secrets are 256 random bits, so one SHA-256 is enough: there is nothing to guess by dictionary.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._trusted: dict[str, tuple[float, ApiKey]] = {}

    def create(self, client: str, *, operator: bool = False) -> str:
        """Make a key for `client` and return it; it cannot be read again."""
        key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        known = {"client": client, "created_at": int(time.time()), "digest": _digest(secret)}
        if operator:
            known["operator"] = True
        with border():
            self._redis.hset(keys.API_KEYS, key_id, json.dumps(known))
        return f"{_PREFIX}_{key_id}_{secret}"

    def list(self) -> list[ApiKey]:
        with border():
            known = cast("dict[str, str]", self._redis.hgetall(keys.API_KEYS))
        return sorted((_api_key(key_id, line) for key_id, line in known.items()), key=lambda key: key.created_at)

    def revoke(self, key_id: str) -> bool:
        """Forget a key; False when there is none. Web processes notice within `TRUST` seconds."""
        with border():
            return bool(self._redis.hdel(keys.API_KEYS, key_id))

    def client_of(self, key: str) -> str | None:
        """Name the client whose key this is, None for a key that is not valid.

        Raises:
            StoreUnavailable: Redis is away, so that the key can be neither accepted nor refused.
        """
        known = self.known(key)
        return known.client if known else None

    def known(self, key: str) -> ApiKey | None:
        """Look up a key, None for one that is not valid.

        Raises:
            StoreUnavailable: Redis is away, so that the key can be neither accepted nor refused.
        """
        prefix, _, rest = key.partition("_")
        key_id, _, secret = rest.partition("_")
        known = self._lookup(key_id) if prefix == _PREFIX else None
        # Compared even where there is no such key, so that the time taken does not tell.
        matches = hmac.compare_digest(known.digest if known else "", _digest(secret))
        return known if known and matches else None

    def _lookup(self, key_id: str) -> ApiKey | None:
        now = time.monotonic()
        trusted = self._trusted.get(key_id)
        if trusted and now - trusted[0] < TRUST:
            return trusted[1]
        with border():
            line = cast("str | None", self._redis.hget(keys.API_KEYS, key_id))
        known = _api_key(key_id, line) if line else None
        if len(self._trusted) >= _MOST_TRUSTED:
            self._trusted.clear()
        if known:
            self._trusted[key_id] = (now, known)
        else:
            self._trusted.pop(key_id, None)
        return known


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _api_key(key_id: str, line: str) -> ApiKey:
    return ApiKey(id=key_id, **json.loads(line))
