"""Kombu's channel, made to go on in a full Redis: what that has accepted must come to its end, or nothing makes room.

A full Redis refuses whatever may take memory, and every command in a transaction, even one that only counts. Without
this no chore was queued there, no retry was published and no worker could start.
"""

from typing import Any

from kombu.transport import redis
from kombu.utils.json import dumps

from smsgate.ledger import scripts
from smsgate.ledger.connection import Full

# Its stub lacks most of what is needed here.
kombu_redis: Any = redis


class QoS(kombu_redis.QoS):  # type: ignore[misc]
    """Kombu's, for whoever takes no tasks.

    Kombu gives back what dead workers held whenever it waits for an answer, as `celery inspect` does: out of the hands
    of whoever has it by then, and not what it cannot read, which ends the inspection.
    """

    def restore_visible(self, start: int = 0, num: Any = None, interval: int = 1) -> None:
        """Leave it to the workers."""


class Channel(kombu_redis.Channel):  # type: ignore[misc]
    """A channel whose queues a full Redis counts, binds and fills. New messages accept.lua is refused there."""

    QoS = QoS

    def _size(self, queue: str) -> int:
        with self.conn_or_acquire() as client:
            return sum(int(client.llen(self._q_for_pri(queue, step))) for step in self.priority_steps)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        try:
            super()._queue_bind(exchange, routing_key, pattern, queue)
        except Full:
            member = self.sep.join([routing_key or "", pattern or "", queue or ""])
            with self.conn_or_acquire() as client:
                if not client.sismember(self.keyprefix_queue % (exchange,), member):
                    raise

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        try:
            super()._put(queue, message, **kwargs)
        except Full:
            key = self._q_for_pri(queue, self._get_message_priority(message, reverse=False))
            with self.conn_or_acquire() as client:
                client.register_script(scripts.source("push"))(keys=[key], args=[dumps(message)])


class Transport(kombu_redis.Transport):  # type: ignore[misc]
    """Redis, as whoever only publishes reaches it."""

    Channel = Channel
