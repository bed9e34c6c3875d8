"""The messages that were accepted, by number and OutId, and what became of them: the evidence."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from smsgate.sandbox import china_time

Pair = tuple[str, str]


class Service(StrEnum):
    """Whose service took a message."""

    ALIYUN = "aliyun"
    TENCENT = "tencent"


class Delivery(StrEnum):
    """Whether the phone has the message."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


@dataclass(slots=True)
class Message:
    """One message to one number; only its delivery changes once it has been accepted."""

    serial: int
    biz_id: str
    phone: str
    out_id: str
    sign: str
    template: str
    text: str
    extend_code: str
    accepted_at: float
    service: Service = Service.ALIYUN
    phone_received: bool = True
    delivery: Delivery = Delivery.WAITING
    err_code: str = ""
    settled_at: float | None = None
    evicted: bool = False

    def shown(self) -> dict[str, object]:
        """Lay it out for the control interface."""
        return {
            "serial": self.serial,
            "service": self.service.value,
            "biz_id": self.biz_id,
            "phone": self.phone,
            "out_id": self.out_id,
            "sign": self.sign,
            "template": self.template,
            "text": self.text,
            "phone_received": self.phone_received,
            "state": self.delivery.value,
            "err_code": self.err_code,
            "accepted_at": china_time.stamp(self.accepted_at),
            "settled_at": china_time.stamp(self.settled_at) if self.settled_at is not None else None,
        }

    def holds(self, text: str) -> bool:
        """Say whether number, text or OutId hold what somebody searches for."""
        return text in self.phone or text in self.out_id.lower() or text in self.text.lower()


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; empty means anything."""

    phone: str = ""
    out_id: str = ""
    text: str = ""


class Inbox:
    """Keep the newest `capacity` messages; `changed` is called after each change."""

    def __init__(self, capacity: int, changed: Callable[[], None] = lambda: None) -> None:
        self._capacity = capacity
        self._changed = changed
        self._messages: deque[Message] = deque()
        self._by_phone: dict[str, deque[Message]] = {}
        self._pairs: Counter[Pair] = Counter()
        self._repeated: dict[Pair, None] = {}
        self._states: Counter[str] = Counter()
        self._evicted = 0
        self._accepted = 0

    def next_serial(self) -> int:
        return self._accepted + 1

    def add(self, message: Message) -> None:
        """Take a message in; where the inbox is full, the oldest makes room."""
        if len(self._messages) >= self._capacity:
            self._evict()
        self._accepted += 1
        self._messages.append(message)
        self._states[message.delivery] += 1
        self._states["phone_received"] += message.phone_received
        self._by_phone.setdefault(message.phone, deque()).append(message)
        if message.out_id:
            pair = (message.phone, message.out_id)
            self._pairs[pair] += 1
            if self._pairs[pair] == 2:  # noqa: PLR2004 - the second makes it a duplicate
                self._repeated[pair] = None
        self._changed()

    def settle(self, message: Message, delivery: Delivery, err_code: str, now: float) -> None:
        """Write down what the carrier said."""
        if not message.evicted:
            self._states[message.delivery] -= 1
            self._states[delivery] += 1
        message.delivery, message.err_code, message.settled_at = delivery, err_code, now
        self._changed()

    def find(self, query: Query) -> Iterator[Message]:
        """Yield what matches, newest first."""
        found = self._by_phone.get(query.phone, deque()) if query.phone else self._messages
        text = query.text.lower()
        for message in reversed(found):
            if (not query.out_id or message.out_id == query.out_id) and (not text or message.holds(text)):
                yield message

    def counts(self) -> dict[str, int]:
        """Count messages; `accepted` and `evicted` count those that had to make room, the rest those that are kept."""
        kept = {name: self._states[name] for name in (*Delivery, "phone_received")}
        return {"accepted": self._accepted, "evicted": self._evicted, "kept": len(self._messages), **kept}

    def duplicates(self, examples: int = 10) -> dict[str, object]:
        """Tell which (number, OutId) pairs were accepted more than once, among the messages that are kept."""
        times = [{"phone": p, "out_id": o, "times": self._pairs[p, o]} for p, o in islice(self._repeated, examples)]
        extra = sum(self._pairs[pair] - 1 for pair in self._repeated)
        return {"pairs": len(self._repeated), "extra_messages": extra, "examples": times}

    def clear(self) -> None:
        for message in self._messages:
            message.evicted = True
        self._messages.clear()
        self._states.clear()
        self._by_phone.clear()
        self._pairs.clear()
        self._repeated.clear()
        self._evicted = self._accepted = 0
        self._changed()

    def _evict(self) -> None:
        oldest = self._messages.popleft()
        oldest.evicted = True
        self._evicted += 1
        self._states[oldest.delivery] -= 1
        self._states["phone_received"] -= oldest.phone_received
        of_phone = self._by_phone[oldest.phone]
        of_phone.popleft()
        if not of_phone:
            del self._by_phone[oldest.phone]
        if oldest.out_id:
            self._forget_pair((oldest.phone, oldest.out_id))

    def _forget_pair(self, pair: Pair) -> None:
        self._pairs[pair] -= 1
        if self._pairs[pair] == 0:
            del self._pairs[pair]
        elif self._pairs[pair] == 1:
            self._repeated.pop(pair, None)
