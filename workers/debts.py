"""What this process owes the broker: acknowledgements, and tasks to give back."""

import threading
from collections.abc import Sequence
from enum import Enum, auto
from functools import cache
from typing import Final

import structlog

from smsgate.errors import StoreUnavailable
from smsgate.ledger.unacked import Return, Unacked

log = structlog.get_logger()


class Debt(Enum):
    """What is owed for a tag."""

    ACKNOWLEDGE = auto()
    GIVE_BACK_NEXT = auto()
    GIVE_BACK_LAST = auto()


class Debts:
    """Tags to acknowledge or to give back, until Redis has heard of it.

    Celery says it once, when the task ends, and gives up where Redis is away just then: the task comes again after the
    visibility timeout, and its place among those that the worker takes at a time stays occupied for good.
    """

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        # Each debt is an object of its own: a tag comes again with its task, and owes anew.
        self._owed: dict[str, list[Debt]] = {}

    def acknowledge(self, tag: str) -> None:
        self._owe(tag, Debt.ACKNOWLEDGE)

    def give_back(self, tag: str, *, last: bool) -> None:
        self._owe(tag, Debt.GIVE_BACK_LAST if last else Debt.GIVE_BACK_NEXT)

    def open(self) -> bool:
        return bool(self._owed)

    def pay(self, unacked: Unacked) -> bool:
        """Tell Redis what is owed, all acknowledgements at once; False when it refuses, does not answer, or is full.

        Nothing is owed twice, so a second thread that pays meanwhile does no harm.
        """
        owed = list(self._owed.items())
        try:
            self._acknowledged(unacked, [one for one in owed if one[1] == [Debt.ACKNOWLEDGE]])
            back = [self._given_back(unacked, *one) for one in owed if one[1] != [Debt.ACKNOWLEDGE]]
        except StoreUnavailable as error:
            log.warning("broker_refuses", error=str(error), owed=len(self._owed))
            return False
        return Return.FULL not in back

    def _acknowledged(self, unacked: Unacked, owed: Sequence[tuple[str, list[Debt]]]) -> None:
        if owed:
            unacked.forget([tag for tag, _ in owed])
        for tag, debt in owed:
            self._settled(tag, debt)

    def _given_back(self, unacked: Unacked, tag: str, debt: list[Debt]) -> Return:
        answer = unacked.give_back(tag, last=debt == [Debt.GIVE_BACK_LAST])
        self._settled(tag, debt)
        return answer

    def _owe(self, tag: str, debt: Debt) -> None:
        with self._lock:
            self._owed[tag] = [debt]

    def _settled(self, tag: str, debt: list[Debt]) -> None:
        with self._lock:
            if self._owed.get(tag) is debt:
                del self._owed[tag]


@cache
def debts() -> Debts:
    """Give this process's debts: they outlast each connection, and so are not a connection's own."""
    return Debts()
