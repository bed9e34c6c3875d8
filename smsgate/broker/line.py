"""One connection to a broker, made when it is needed and given up when anything goes wrong on it."""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import kombu
from kombu.exceptions import KombuError

from smsgate.broker.connection import Connection
from smsgate.broker.options import given_options, tls, transport_options
from smsgate.errors import BrokerUnavailable
from smsgate.ledger.envelope import Unsealed

# Seconds to connect; whoever is waited for gives up early, and the next one tries again.
_CONNECT: Final = 2
# Connect once; trying again is for the caller to decide.
_ONCE: Final = {"max_retries": 0}
# Seconds for which an AMQP broker may leave a write or its confirmation waiting.
_PATIENCE: Final = 10
_DURABLE: Final = 2


class Refused(BrokerUnavailable):
    """The broker answers, and does not take what it was given."""


class Dropped(BrokerUnavailable):
    """The broker was there, and hung up on what it was given; or it has just died."""


class Line:
    """A line to one broker, for one thread at a time."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        """Take the broker's URL, and what its transport is given besides what we know of its kind."""
        self._url = url
        self._tls: Final = tls(url, options)
        known = transport_options(url)
        patience = {"read_timeout": _PATIENCE, "write_timeout": _PATIENCE} if "confirm_publish" in known else {}
        self._options: Final = {**known, **patience, **_ONCE, **given_options(url, options)}
        self._pid = os.getpid()
        self._connection: Any = None
        self._producer: Any = None
        self._declared: set[str] = set()

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return str(self._new_connection().as_uri())

    @property
    def is_open(self) -> bool:
        return self._producer is not None

    @property
    def takes_each_at_once(self) -> bool:
        """Say whether what was put has arrived when `put` returns, and not only at the end of a batch."""
        channel = self.ready().channel
        return not hasattr(channel, "create_publish_batch") or not getattr(channel, "supports_batch_publish", True)

    def ready(self) -> Any:
        """Connect where that is needed; gives kombu's producer."""
        if self._pid != os.getpid():  # a child must not speak on its parent's
            self._connection = self._producer = None
            self._declared.clear()
            self._pid = os.getpid()
        if self._producer is None:
            self._connection = self._new_connection()
            self._producer = kombu.Producer(self._connection.default_channel, auto_declare=False)
        return self._producer

    def declare(self, queue: str) -> Any:
        """Have a queue exist, as Celery declares it: an AMQP broker drops what is for a queue that it does not know."""
        found = self.ready().channel.queue_declare(queue=queue, durable=True, auto_delete=False)
        self._declared.add(queue)
        return found

    def has_declared(self, queue: str) -> bool:
        return queue in self._declared

    def put(self, queue: str, message: Unsealed) -> None:
        """Publish one message."""
        self.ready().publish(
            message.body,
            exchange="",
            routing_key=queue,
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            headers=dict(message.headers),
            delivery_mode=_DURABLE,
            priority=0,
            **message.properties,
        )

    def lost(self, error: Exception, *, is_putting: bool = False) -> BrokerUnavailable:
        """Hang up, and tell what went wrong by its kind alone: a driver's text may hold the URL, or a message.

        Any error counts: each transport has its own, and what is not handed on stays in Redis whatever it was.
        """
        cause = error.__cause__ if isinstance(error, KombuError) and error.__cause__ else error
        connection = self._connection
        is_away = connection is None or isinstance(cause, (OSError, *connection.connection_errors))
        # Each driver has a class of its own for an answer that does not come, which is nothing that a message does.
        is_silent = "timeout" in type(cause).__name__.lower()
        self.close()
        kind = Refused if not is_away else Dropped if is_putting and not is_silent else BrokerUnavailable
        return kind(f"broker: {type(cause).__name__}; check SMSGATE_BROKER_URL and the server")

    def close(self) -> None:
        """Let go of the connection; the next call makes another."""
        connection, self._connection, self._producer = self._connection, None, None
        self._declared.clear()
        if connection is not None and self._pid == os.getpid():
            with suppress(Exception):  # it may be broken in any way
                connection.collect()

    def _new_connection(self) -> Any:
        return Connection(
            self._url,
            connect_timeout=_CONNECT,
            transport_options=dict(self._options),
            ssl=dict(self._tls) if self._tls else False,
        )
