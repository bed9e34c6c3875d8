"""The carrier's side: when each message is settled, and the report about it."""

import heapq
import math
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from smsgate.sandbox import china_time
from smsgate.sandbox.faults.board import ReceiptPlan
from smsgate.sandbox.inbox import Delivery, Inbox, Message, Service

Report = dict[str, object]

# Reports that fall due within this time of each other leave in one push.
TOGETHER: Final = 0.02


@dataclass(frozen=True, slots=True)
class Post:
    """How a service writes a report, and by which way it pushes some of them."""

    write: Callable[[Message, float], Report]
    push: Callable[[list[Report]], None]


@dataclass(order=True, slots=True)
class _Due:
    at: float
    serial: int
    message: Message = field(compare=False)
    plan: ReceiptPlan = field(compare=False)


class Carrier:
    """Settle every message `delay` seconds after it was accepted, and hand over its report."""

    def __init__(self, inbox: Inbox, posts: Mapping[Service, Post], delay: float, clock: Callable[[], float]) -> None:
        self._inbox = inbox
        self._posts = posts
        self._delay = delay
        self._clock = clock
        self._due: list[_Due] = []
        self._serials = count()
        self._loop: AbstractEventLoop | None = None
        self._timer: TimerHandle | None = None
        self._wakes_at = math.inf

    def start(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._wake_for_next()

    def carry(self, message: Message, plan: ReceiptPlan) -> None:
        """Take a message on; one that never settles is let go at once."""
        if not plan.settles:
            return
        due = _Due(self._clock() + self._delay + plan.delay, next(self._serials), message, plan)
        heapq.heappush(self._due, due)
        if due.at < self._wakes_at:
            self._wake_for_next()

    def pending(self) -> int:
        return len(self._due)

    def clear(self) -> None:
        self._due.clear()

    def deliver_due(self) -> None:
        """Settle what is due, and push the reports about it together."""
        now = self._clock()
        reports: dict[Service, list[Report]] = {}
        while self._due and self._due[0].at <= now + TOGETHER:
            due = heapq.heappop(self._due)
            reports.setdefault(due.message.service, []).extend(self._settled(due.message, due.plan, now))
        for service, told in reports.items():
            if told:
                self._posts[service].push(told)
        self._wakes_at = math.inf
        self._wake_for_next()

    def _settled(self, message: Message, plan: ReceiptPlan, now: float) -> list[Report]:
        delivery = Delivery.DELIVERED if plan.reaches_phone else Delivery.UNDELIVERED
        self._inbox.settle(message, delivery, plan.err_code, now)
        return [self._posts[message.service].write(message, now)] * plan.copies

    def _wake_for_next(self) -> None:
        if self._loop is None or not self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = self._due[0].at
        self._timer = self._loop.call_later(max(0.0, self._wakes_at - self._clock()), self.deliver_due)


def report(message: Message, now: float) -> Report:
    """Write an SmsReport as the provider pushes it: `success` is a boolean, everything else a string."""
    delivered = message.delivery is Delivery.DELIVERED
    return {
        "phone_number": message.phone,
        "send_time": china_time.stamp(message.accepted_at),
        "report_time": china_time.stamp(now),
        "success": delivered,
        "err_code": message.err_code,
        "err_msg": "用户接收成功" if delivered else "用户接收失败",
        "sms_size": str(segments(message.text)),
        "biz_id": message.biz_id,
        "out_id": message.out_id,
    }


def segments(text: str) -> int:
    """Count what is billed: one up to 70 characters, then 67 each; in plain ASCII 160 and 153."""
    single, each = (160, 153) if text.isascii() else (70, 67)
    return 1 if len(text) <= single else math.ceil(len(text) / each)
