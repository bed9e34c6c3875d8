"""Kombu's Redis transport, made to outlast what may lie in a queue and whatever Redis answers."""

import time
from collections import deque
from queue import Empty
from typing import Any

import structlog
from kombu.transport import redis
from kombu.utils.encoding import bytes_to_str
from uuid_utils import uuid7

from smsgate.ledger.strays import Stray, StrayReason, Strays
from smsgate.ledger.unacked import Taken, Unacked, as_text
from smsgate.settings import current
from workers import full, parts
from workers.debts import debts
from workers.entry import Entry, NoMessage
from workers.insist import insist
from workers.qos import QoS

log = structlog.get_logger()

# Its stub lacks most of what is needed here.
kombu_redis: Any = redis


class Channel(full.Channel):
    """A channel that sets aside what is no message.

    In kombu's, an entry that is none ends the worker, is given back, and ends the next one.
    """

    QoS = QoS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # One client for as long as this object lives: a task may end after its channel was closed.
        client = self._create_client()
        # Where this Redis is the broker alone, operators look elsewhere for strays.
        self.strays = parts.strays() if current().has_own_broker else Strays(client)
        self.unacked = Unacked(client, self.unacked_index_key, self.unacked_key, self.strays)

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
        self._receive_entry(as_text(entry), queue, bytes_to_str(key))
        return True

    def _popped(self, **options: Any) -> Any:
        try:
            return self.client.parse_response(self.client.connection, "BRPOP", **options)
        except self.connection_errors:
            self.client.connection.disconnect()
            raise

    def _receive_entry(self, text: str, queue: str, key: str) -> None:
        """Hand over what has left its queue; and with it, in the same step, take as many more as there is room for."""
        try:
            entry = self._readable(text, queue)
        except NoMessage as no_message:
            reason = no_message.reason
            insist(lambda: self.set_aside(text, queue, reason), "store_stray")
            return
        more = self._taken_with(Taken(entry.tag, text), queue, key)
        try:
            self._deliver_noted(entry)
            while more:
                self._receive_noted(more.popleft(), queue)
        finally:
            # What is left when that failed goes back to be taken next.
            while more:
                debts().give_back(more.pop().tag, last=False)

    def _taken_with(self, first: Taken, queue: str, key: str) -> deque[Taken]:
        """Note what has left its queue, and take as many more as there is room for, however long Redis is away."""
        more = deque[Taken]()

        def take() -> None:
            # Noted under a time long past, it would be given to another worker at once.
            is_late = time.time() - first.at > self.visibility_timeout / 2
            one = Taken(first.tag, first.text) if is_late else first
            more.extend(self.unacked.take(one, queue, key, self._room_beside(queue)))

        insist(take, "note_task")
        return more

    def _room_beside(self, queue: str) -> int:
        """Say how many messages more may be taken; none of a queue that this worker serves no more."""
        is_served = queue in self.connection._callbacks  # noqa: SLF001 - kombu's own way to find a queue's consumer
        return max(self.qos.room() - 1, 0) if is_served else 0

    def _receive_noted(self, taken: Taken, queue: str) -> None:
        try:
            entry = self._readable(taken.text, queue, tag=taken.tag)
        except NoMessage as no_message:
            reason = no_message.reason
            insist(lambda: self.set_aside(taken.text, queue, reason), "store_stray")
            debts().acknowledge(taken.tag)
            return
        self._deliver_noted(entry)

    def _deliver_noted(self, entry: Entry) -> None:
        self.qos.noted.add(entry.tag)
        try:
            self.connection._deliver(entry, entry.queue)  # noqa: SLF001 - the transport's way to its consumers
        finally:
            self.qos.noted.discard(entry.tag)

    def _readable(self, text: str, queue: str, tag: str | None = None) -> Entry:
        """Read an entry of a queue; with `tag`, one that Redis has noted under it.

        Raises:
            NoMessage: Celery could make no message of it.
        """
        entry = Entry.read(text, queue)
        entry.message(self)
        if tag not in (None, entry.tag):
            raise NoMessage(StrayReason.NO_CELERY_MESSAGE)
        return entry

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
            channel.qos.settle_again()
        super().on_poll_start()


class Transport(kombu_redis.Transport):  # type: ignore[misc]
    """Redis, as our producers and workers reach it."""

    Channel = Channel

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cycle = Poller()
