"""Puts messages into the queues of a broker, by kombu's own publisher; and asks how many wait there."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import kombu
from kombu.exceptions import KombuError

from smsgate.broker.connection import Connection
from smsgate.broker.options import given_options, tls, transport_options
from smsgate.errors import BrokerUnavailable
from smsgate.ledger.envelope import Unsealed
from smsgate.queues import Queue

# Seconds to connect; whoever is waited for gives up early, and the next one tries again.
_CONNECT: Final = 2
# Connect once; trying again is for the caller to decide.
_ONCE: Final = {"max_retries": 0}
# Seconds for which an AMQP broker may leave a write or its confirmation waiting.
_PATIENCE: Final = 10
_DURABLE: Final = 2
# Refused one by one before a broker counts as one that takes nothing now.
_MOST_REFUSED: Final = 3


class _Refused(BrokerUnavailable):
    """The broker answers, and does not take what it was given."""


@dataclass(frozen=True, slots=True)
class Left:
    """Places of messages that were not published: those that the broker refuses, and those that were not tried."""

    refused: Sequence[int] = ()
    untried: Sequence[int] = ()


class Publisher:
    """One connection to a broker, for one thread at a time."""

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

    def publish(self, posted: Sequence[tuple[str, Unsealed]]) -> Left:
        """Publish messages to queues, in this order; says what was not.

        Raises:
            BrokerUnavailable: None, some or all of them have arrived.
        """
        was_connected = self._producer is not None
        try:
            self._all(posted)
        except _Refused:
            # It is there, and refuses something: the others must not wait for that.
            return self._one_by_one(posted)
        except BrokerUnavailable:
            # It may have closed what nobody used for a while.
            if not was_connected:
                raise
            self._all(posted)
        return Left()

    def waiting_in(self, queues: Iterable[Queue]) -> dict[Queue, int]:
        """Ask how many messages wait in each queue; a kind of broker that cannot count says 0.

        Raises:
            BrokerUnavailable: It did not answer.
        """
        try:
            return {queue: int(self._declare(queue).message_count or 0) for queue in queues}
        except Exception as error:  # noqa: BLE001 - see _lost
            raise self._lost(error) from None

    def close(self) -> None:
        """Let go of the connection; the next call makes another."""
        connection, self._connection, self._producer = self._connection, None, None
        self._declared.clear()
        if connection is not None and self._pid == os.getpid():
            with suppress(Exception):  # it may be broken in any way
                connection.collect()

    def _all(self, posted: Sequence[tuple[str, Unsealed]]) -> None:
        try:
            producer = self._ready()
            for queue in dict.fromkeys(queue for queue, _ in posted):
                if queue not in self._declared:
                    self._declare(queue)
            with producer.batch():
                for queue, message in posted:
                    self._put(producer, queue, message)
        except Exception as error:  # noqa: BLE001 - see _lost
            raise self._lost(error) from None

    def _one_by_one(self, posted: Sequence[tuple[str, Unsealed]]) -> Left:
        refused: list[int] = []
        for place, one in enumerate(posted):
            try:
                self._all([one])
            except _Refused:
                refused.append(place)
                if len(refused) == _MOST_REFUSED:
                    return Left(refused, range(place + 1, len(posted)))
            except BrokerUnavailable:
                return Left(refused, range(place, len(posted)))
        return Left(refused)

    def _put(self, producer: Any, queue: str, message: Unsealed) -> None:
        producer.publish(
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

    def _declare(self, queue: str) -> Any:
        """Have a queue exist, as Celery declares it: an AMQP broker drops what is for a queue that it does not know."""
        found = self._ready().channel.queue_declare(queue=queue, durable=True, auto_delete=False)
        self._declared.add(queue)
        return found

    def _ready(self) -> Any:
        if self._pid != os.getpid():  # a child must not speak on its parent's
            self._connection = self._producer = None
            self._declared.clear()
            self._pid = os.getpid()
        if self._producer is None:
            self._connection = self._new_connection()
            self._producer = kombu.Producer(self._connection.default_channel, auto_declare=False)
        return self._producer

    def _new_connection(self) -> Any:
        return Connection(
            self._url,
            connect_timeout=_CONNECT,
            transport_options=dict(self._options),
            ssl=dict(self._tls) if self._tls else False,
        )

    def _lost(self, error: Exception) -> BrokerUnavailable:
        """Tell what went wrong by its kind alone: a driver's text may hold the URL, or a message.

        Any error counts: each transport has its own, and what is not handed on stays in Redis whatever it was.
        """
        cause = error.__cause__ if isinstance(error, KombuError) and error.__cause__ else error
        connection = self._connection
        is_away = connection is None or isinstance(cause, (OSError, *connection.connection_errors))
        self.close()
        kind = BrokerUnavailable if is_away else _Refused
        return kind(f"broker: {type(cause).__name__}; check SMSGATE_BROKER_URL and the server")
