"""What a worker holds of the broker's tasks: noted before it is begun, acknowledged whenever Redis can hear it."""

import time
from collections.abc import Iterable
from typing import Any, Final

import structlog
from kombu.transport import redis, virtual

from smsgate.errors import StoreUnavailable
from workers.debts import debts
from workers.insist import insist

log = structlog.get_logger()

# Their stubs lack most of what is needed here.
kombu_redis: Any = redis
kombu_virtual: Any = virtual

# Seconds for which a worker takes no more from a Redis that refuses to write. What it took it would only give back,
# as fast as it can.
PAUSE: Final = 1.0
# Messages taken in one go where the worker sets no limit of its own.
MOST_AT_ONCE: Final = 100


class QoS(kombu_redis.QoS):  # type: ignore[misc]
    """Kombu's, but no answer of Redis loses a task, occupies a place for ever or ends the worker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._resume_at = 0.0
        # Tags of messages that were noted as they were taken, and are on their way to `append`.
        self.noted: set[str] = set()

    def can_consume(self) -> bool:
        return time.monotonic() >= self._resume_at and bool(super().can_consume())

    def room(self) -> int:
        """Say how many messages more may be taken now."""
        estimate = self.can_consume_max_estimate()
        return MOST_AT_ONCE if estimate is None else min(estimate, MOST_AT_ONCE)

    def append(self, message: Any, delivery_tag: str) -> None:
        """Take a message into our hands; one that has left its queue and is not noted exists nowhere but here."""
        if delivery_tag in self.noted:
            self.noted.discard(delivery_tag)
        else:
            raw = message._raw  # noqa: SLF001 - kombu's own QoS reads it too
            queue = getattr(raw, "queue", message.delivery_info["routing_key"])
            insist(lambda: self.channel.unacked.note(delivery_tag, raw, queue), "note_task")
        kombu_virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        debts().acknowledge(delivery_tag)
        kombu_virtual.QoS.ack(self, delivery_tag)
        self._settle_in_turn()

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if requeue:
            debts().give_back(delivery_tag, last=True)
        else:
            debts().acknowledge(delivery_tag)
        kombu_virtual.QoS.ack(self, delivery_tag)
        self._settle_in_turn()

    def _settle_in_turn(self) -> None:
        if not debts().are_collected:
            self.settle()

    def settle(self) -> None:
        """Tell Redis what is owed; while it does not take it, take nothing from it."""
        if not debts().pay(self.channel.unacked):
            self._resume_at = time.monotonic() + PAUSE

    def settle_again(self) -> None:
        """Settle what was refused, or was left by another connection, once the pause is over."""
        if debts().open() and time.monotonic() >= self._resume_at:
            self.settle()

    def leave(self, running: Iterable[str]) -> None:
        """Give back what is held, except what is running: for a connection that ends before its worker does."""
        self._flush()
        for tag in running:
            self._delivered.pop(tag, None)
        self.restore_unacked()

    def restore_unacked(self, client: Any = None) -> None:  # noqa: ARG002 - kombu's signature
        self._flush()
        for tag in self._delivered:
            debts().give_back(tag, last=False)
        self._delivered.clear()
        self.settle()

    def restore_visible(self, start: int = 0, num: Any = None, interval: int = 1) -> None:  # noqa: ARG002 - kombu's
        """Give back what dead workers held. It takes no lock: an entry is given back by the first who asks for it."""
        before = time.time() - self.visibility_timeout
        try:
            for tag in self.channel.unacked.overdue(before):
                self.channel.unacked.give_back(tag, last=False, taken_before=before)
        except StoreUnavailable as error:
            log.warning("broker_refuses", error=str(error))

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:  # noqa: ARG002 - kombu's
        debts().give_back(tag if isinstance(tag, str) else tag.decode(), last=leftmost)
        self.settle()
