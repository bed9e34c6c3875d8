"""The secrets with which webhooks are signed: at most two for a client, so that it can change from one to the other.

They are stored as they are: a signature needs the secret itself.
"""

from collections.abc import Callable, Sequence
from typing import Final, cast

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border

MOST_VALID: Final = 2


class WebhookSecrets:
    """The secrets in one Redis. The client "" is that of messages sent by `.delay()` and by the CLI."""

    def __init__(self, client: redis.Redis, new: Callable[[], str]) -> None:
        """Take a connection, and what makes a new secret."""
        self._redis = client
        self._new = new
        self._first = client.register_script(scripts.source("first_webhook_secret"))

    def valid(self, client: str) -> Sequence[str]:
        """List a client's secrets, the newest first; makes the first one, so that every webhook is signed."""
        with border():
            return cast("list[str]", self._first(keys=[keys.webhook_secrets(client)], args=[self._new()]))

    def rotate(self, client: str) -> Sequence[str]:
        """Make a new secret beside the present one; older ones are no longer valid."""
        key = keys.webhook_secrets(client)
        with border():
            pipe = self._redis.pipeline()
            pipe.lpush(key, self._new())
            pipe.ltrim(key, 0, MOST_VALID - 1)
            pipe.lrange(key, 0, -1)
            return cast("list[str]", pipe.execute()[-1])

    def drop_previous(self, client: str) -> None:
        """Sign with the newest secret only."""
        with border():
            self._redis.ltrim(keys.webhook_secrets(client), 0, 0)
