"""What this process owes the broker: acknowledgements, and tasks to give back."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import structlog

from smsgate.errors import StoreUnavailable
from smsgate.ledger.unacked import Return, Unacked

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class Debt:
    """What is owed for one tag: an acknowledgement, or the task itself, to be taken next or `last`.

    `tried_at` (Unix seconds) is when it was given back by a call whose answer was lost.
    """

    tag: str
    gives_back: bool = False
    last: bool = False
    tried_at: float | None = None


class Debts:
    """Tags to acknowledge or to give back, until Redis has heard of it.

    Celery says it once, when the task ends, and gives up where Redis is away just then: the task comes again after the
    visibility timeout, and its place among those that the worker takes at a time stays occupied for good.
    """

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._owed: dict[str, Debt] = {}
        self.are_collected = False

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Let what becomes due wait for the next turn of the worker's loop, which pays all of it in one go.

        Each acknowledgement by itself was a fifth of what the loop had to do.
        """
        self.are_collected = True
        try:
            yield
        finally:
            self.are_collected = False

    def acknowledge(self, tag: str) -> None:
        self._owe(Debt(tag))

    def give_back(self, tag: str, *, last: bool) -> None:
        self._owe(Debt(tag, gives_back=True, last=last))

    def open(self) -> bool:
        return bool(self._owed)

    def pay(self, unacked: Unacked) -> bool:
        """Tell Redis what is owed; False when it refuses, does not answer, or is full.

        A second thread that pays meanwhile does no harm: to acknowledge twice is to acknowledge, and what one is about
        to give back the other leaves alone. It may be in somebody's hands by then, under the same tag.
        """
        owed = list(self._owed.values())
        try:
            self._acknowledge_all(unacked, [debt for debt in owed if not debt.gives_back])
            return self._give_all_back(unacked, [debt for debt in owed if debt.gives_back])
        except StoreUnavailable as error:
            log.warning("broker_refuses", error=str(error), owed=len(self._owed))
            return False

    def _acknowledge_all(self, unacked: Unacked, owed: list[Debt]) -> None:
        if owed:
            unacked.forget(*(debt.tag for debt in owed))
        for debt in owed:
            self._settled(debt)

    def _give_all_back(self, unacked: Unacked, owed: list[Debt]) -> bool:
        room = True
        for debt in owed:
            if self._settled(debt):
                room = self._given_back(unacked, debt) is not Return.FULL and room
        return room

    def _given_back(self, unacked: Unacked, debt: Debt) -> Return:
        now = time.time()
        try:
            return unacked.give_back(debt.tag, last=debt.last, taken_before=debt.tried_at)
        except StoreUnavailable:
            # It may be back all the same, and in somebody's hands by the next try.
            with self._lock:
                self._owed.setdefault(debt.tag, replace(debt, tried_at=debt.tried_at or now))
            raise

    def _owe(self, debt: Debt) -> None:
        with self._lock:
            self._owed[debt.tag] = debt

    def _settled(self, debt: Debt) -> bool:
        """Strike a debt off; False where it is none any more, or another is owed: a tag comes again with its task."""
        with self._lock:
            is_owed = self._owed.get(debt.tag) is debt
            if is_owed:
                del self._owed[debt.tag]
            return is_owed


@cache
def debts() -> Debts:
    """Give this process's debts: they outlast each connection, and so are not a connection's own."""
    return Debts()
