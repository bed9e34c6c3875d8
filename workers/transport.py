"""Kombu's Redis transport, made to outlast what may lie in a queue and whatever Redis answers."""

import time
from queue import Empty
from typing import Any

import structlog
from kombu.transport import redis
from kombu.utils.encoding import bytes_to_str
from uuid_utils import uuid7

from smsgate.ledger.strays import Stray, Strays
from smsgate.ledger.unacked import Unacked
from workers.entry import Entry, NoMessage
from workers.insist import insist
from workers.qos import QoS

log = structlog.get_logger()

# Its stub lacks most of what is needed here.
kombu_redis: Any = redis


class Channel(kombu_redis.Channel):  # type: ignore[misc]
    """A channel that sets aside what is no message.

    In kombu's, an entry that is none ends the worker, is given back, and ends the next one.
    """

    QoS = QoS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # One client for as long as this object lives: a task may end after its channel was closed.
        client = self._create_client()
        self.unacked = Unacked(client, self.unacked_index_key, self.unacked_key)
        self.strays = Strays(client)

    def set_aside(self, text: str, queue: str, reason: str, task_id: str | None = None) -> None:
        """Keep what is no message of ours for an operator.

        Raises:
            StoreUnavailable: It is not kept.
        """
        stray = Stray(str(uuid7()), queue, reason, task_id, int(time.time() * 1000), text)
        self.strays.store(stray)
        log.warning("stray", stray_id=stray.id, queue=queue, reason=reason, task_id=task_id)

    def _brpop_read(self, **options: Any) -> bool:
        try:
            popped = self._popped(**options)
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()
        if not popped:
            raise Empty
        key, entry = popped
        queue = bytes_to_str(key).rsplit(self.sep, 1)[0]
        self._queue_cycle.rotate(queue)
        self._receive_entry(_text(entry), queue)
        return True

    def _popped(self, **options: Any) -> Any:
        try:
            return self.client.parse_response(self.client.connection, "BRPOP", **options)
        except self.connection_errors:
            self.client.connection.disconnect()
            raise

    def _receive_entry(self, text: str, queue: str) -> None:
        try:
            entry = Entry.read(text, queue)
            entry.message(self)
        except NoMessage as no_message:
            reason = no_message.reason
            insist(lambda: self.set_aside(text, queue, reason), "store_stray")
        else:
            self.connection._deliver(entry, queue)  # noqa: SLF001 - the transport's way to its consumers

    def _restore(self, message: Any, leftmost: bool = False) -> None:
        self.qos.restore_by_tag(message.delivery_tag, leftmost=leftmost)

    def _deliver_fanout_message(self, message: Any, exchange: str) -> bool:
        """Hand over a broadcast. What is none is dropped: nothing that matters is broadcast, and anybody may do it."""
        try:
            self.Message(message, channel=self)
            known = exchange in self._fanout_to_queue
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the worker goes on
            log.warning("unreadable_broadcast", error=type(error).__name__)
            return False
        return bool(super()._deliver_fanout_message(message, exchange)) if known else False


class Poller(kombu_redis.MultiChannelPoller):  # type: ignore[misc]
    """A poller that settles what a channel owes before it asks for more."""

    def on_poll_start(self) -> None:
        for channel in list(self._channels):
            channel.qos.polled = True
            channel.qos.settle_again()
        super().on_poll_start()


class Transport(kombu_redis.Transport):  # type: ignore[misc]
    """Redis, as our producers and workers reach it."""

    Channel = Channel

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cycle = Poller()


def _text(entry: bytes | str) -> str:
    """Read an entry's bytes so that they can be written again, whatever they are."""
    return entry if isinstance(entry, str) else entry.decode("utf-8", "surrogateescape")
