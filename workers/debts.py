"""What this process owes the broker: acknowledgements, and tasks to give back."""

import threading
from collections.abc import Callable
from functools import cache
from typing import Final

import structlog

from smsgate.errors import StoreUnavailable
from smsgate.ledger.unacked import Return, Unacked

log = structlog.get_logger()


class Debts:
    """Tags to acknowledge or to give back, until Redis has heard of it.

    Celery says it once, when the task ends, and gives up where Redis is away just then: the task comes again after the
    visibility timeout, and its place among those that the worker takes at a time stays occupied for good.
    """

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._owed: dict[str, Callable[[Unacked], Return]] = {}

    def acknowledge(self, tag: str) -> None:
        self._owe(tag, lambda unacked: _forget(unacked, tag))

    def give_back(self, tag: str, *, last: bool) -> None:
        self._owe(tag, lambda unacked: unacked.give_back(tag, last=last))

    def open(self) -> bool:
        return bool(self._owed)

    def pay(self, unacked: Unacked) -> bool:
        """Tell Redis what is owed; False when it refuses, does not answer, or is full.

        Nothing is owed twice, so a second thread that pays meanwhile does no harm.
        """
        room = True
        for tag, tell in list(self._owed.items()):
            try:
                room = tell(unacked) is not Return.FULL and room
            except StoreUnavailable as error:
                log.warning("broker_refuses", error=str(error), owed=len(self._owed))
                return False
            self._settled(tag, tell)
        return room

    def _owe(self, tag: str, tell: Callable[[Unacked], Return]) -> None:
        with self._lock:
            self._owed[tag] = tell

    def _settled(self, tag: str, tell: Callable[[Unacked], Return]) -> None:
        with self._lock:
            # Unless something else has become due meanwhile: a tag comes again with its task.
            if self._owed.get(tag) is tell:
                del self._owed[tag]


def _forget(unacked: Unacked, tag: str) -> Return:
    unacked.forget(tag)
    return Return.GONE


@cache
def debts() -> Debts:
    """Give this process's debts: they outlast each connection, and so are not a connection's own."""
    return Debts()
