"""What customers want sent: single messages, and batches of some hundreds of rows."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from urllib.parse import urlencode

from tests.integration.nodes.gateway import TEMPLATE

# Codes, notices and mailings as a customer has them: half of the single messages are codes.
_LANES: Final = ("otp", "otp", "notice", "bulk")
_OTHER_TEMPLATES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "notice": ("SMS_200000001", {"name": "王先生", "order": "1001", "date": "明天"}),
    "bulk": ("SMS_200000002", {"name": "王先生", "discount": "8"}),
}
_ABROAD: Final = "SMS_200000003"
# Rows of a batch; however few there are, they come in several.
_BATCH, _FEWEST_BATCHES = 200, 4
# One batch after the other, in an order of chance; those abroad leave alone, as the provider takes one number a call.
_OF_BATCHES: Final = ("bulk", "notice", "otp", "abroad")
# Seconds over which a batch is sent in, and in how many pieces: a slow line, so that what is killed dies in its middle.
_SLOW, _PIECES = 2.0, 20
# No phone has it. A row like it must be rejected, and counted.
_NO_NUMBER: Final = "12345"


@dataclass(frozen=True, slots=True)
class Order:
    """One request, which its client repeats with the same key; no other message goes to its numbers.

    `at` is when it is due, as a share of the drive. `numbers` has one for each row, a message having one. On the first
    try its client breaks off after `cut` bytes: with all of them sent it does not wait for the answer. Where the line
    `hangs`, the gateway does not learn of it before the order has been accepted over another.
    """

    at: float
    key: str
    path: str
    media: str
    numbers: tuple[str, ...]
    content: bytes
    slow: float = 0.0  # seconds
    cut: int | None = None
    hangs: bool = False

    @property
    def is_batch(self) -> bool:
        return self.path != "/v1/messages"

    @property
    def wanted(self) -> list[str]:
        """Name the numbers that are to get an SMS."""
        return [number for number in self.numbers if number != _NO_NUMBER]

    def ids(self, answer: Mapping[str, Any]) -> dict[str, str]:
        """Name the messages that were accepted, by number, as docs/batches.md names rows."""
        if not self.is_batch:
            return {self.numbers[0]: str(answer["id"])}
        rejected = {one["index"] for one in answer["rejected"]}
        rows = enumerate(self.numbers)
        return {number: f"{answer['id']}-{index}" for index, number in rows if index not in rejected}

    def pieces(self) -> Iterator[bytes]:
        """Cut the body as it goes over the line; the last of them ends it."""
        size = len(self.content) // _PIECES + 1 if self.slow else len(self.content)
        for start in range(0, len(self.content), size):
            yield self.content[start : start + size]


def orders(messages: int, rng: Random, *, in_batches: float = 0.0) -> list[Order]:
    """Write orders for so many messages in the order in which they are due; this share of them are rows of batches."""
    rows = round(messages * in_batches)
    alone = messages - rows
    singles = [_single(index, index / alone, rng.choice(_LANES)) for index in range(alone)]
    return sorted([*singles, *_batches(rows, rng)], key=lambda order: order.at)


def _single(index: int, at: float, lane: str) -> Order:
    phone = f"139{index:08d}"
    template, params = _OTHER_TEMPLATES.get(lane, (TEMPLATE, _code(index)))
    message: dict[str, Any] = {"to": phone, "template": template, "params": params, "lane": lane}
    return Order(at, f"order-{index}", "/v1/messages", "application/json", (phone,), json.dumps(message).encode())


def _batches(rows: int, rng: Random) -> Iterator[Order]:
    number = min(rows, max(_FEWEST_BATCHES, round(rows / _BATCH)))
    lanes = rng.sample(_OF_BATCHES, len(_OF_BATCHES))
    for batch in range(number):
        lane = lanes[batch % len(lanes)]
        form = "85291{:06d}" if lane == "abroad" else "138{:08d}"
        numbers = [form.format(row) for row in range(batch, rows, number)]
        # Behind the place where a hanging line has come to: what it leaves behind must not take it back.
        numbers.insert(rng.randint(len(numbers) // 2, len(numbers)), _NO_NUMBER)
        yield _batch(batch, batch / number, (lane, numbers), rng)


def _batch(index: int, at: float, mailing: tuple[str, list[str]], rng: Random) -> Order:
    """Write one as NDJSON or JSON; of four clients one breaks off, one does not hear the answer, one's line hangs."""
    lane, numbers = mailing
    shared, params = _shared(lane)
    rows = [
        {"to": _written(to), "params": params or _code(row), "reference": str(row)} for row, to in enumerate(numbers)
    ]
    if rng.choice((True, False)):
        path, media = f"/v1/batches?{urlencode(shared)}", "application/x-ndjson"
        content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    else:
        path, media = "/v1/batches", "application/json"
        content = json.dumps({**shared, "messages": rows}).encode()
    early, middle = (int(len(content) * rng.uniform(*where)) for where in ((0.1, 0.45), (0.3, 0.9)))
    cut, hangs = ((None, False), (middle, False), (len(content), False), (early, True))[index % 4]
    return Order(at, f"batch-{index}", path, media, tuple(numbers), content, _SLOW, cut, hangs)


def _shared(kind: str) -> tuple[dict[str, str], dict[str, str]]:
    """Give what the rows share, and their params; none where each has a code of its own."""
    if kind == "abroad":
        return {"template": _ABROAD, "lane": "notice"}, {}
    template, params = _OTHER_TEMPLATES.get(kind, (TEMPLATE, {}))
    return {"template": template, "lane": kind}, params


def _written(number: str) -> str:
    return f"+{number}" if number.startswith("852") else number


def _code(index: int) -> dict[str, str]:
    return {"code": f"{index % 1_000_000:06d}"}
