"""Callbacks to the user's own URLs: posted as the provider posts them, retried as it retries, then dropped."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiohttp

from smsgate.sandbox.answers import encoded

log = logging.getLogger("smsgate.sandbox")

Item = dict[str, object]

LARGEST_BATCH: Final = 100
AT_ONCE: Final = 8
LONGEST_ANSWER: Final = 64 * 1024


def code_complaint(said: object) -> str | None:
    """Judge what was said to a push of Dysmsapi: a JSON object with a numeric `code` is what it wants to see."""
    code = said.get("code") if isinstance(said, dict) else None
    numeric = isinstance(code, int | float) and not isinstance(code, bool)
    return None if numeric else "no numeric code in the answer"


def result_complaint(said: object) -> str | None:
    """Judge what was said to a push of Tencent's: its `result` must be 0."""
    result = said.get("result") if isinstance(said, dict) else None
    return None if result == 0 and not isinstance(result, bool) else "the answer's result is not 0"


@dataclass(frozen=True, slots=True)
class Manners:
    """How long a push may take, when a failed one is tried again, and how many items may be on their way.

    `complaint` judges an answer; with `singly` an item is pushed as an object of its own, not in an array.
    """

    timeout: float
    retry_delays: tuple[float, ...]
    capacity: int
    complaint: Callable[[object], str | None] = code_complaint
    singly: bool = False


class Pusher:
    """Push items to one URL; counts what became of them."""

    def __init__(self, name: str, url: str | None, manners: Manners) -> None:
        self.name = name
        self.url = url
        self.counts: Counter[str] = Counter()
        self._manners = manners
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    def push(self, items: list[Item]) -> None:
        """Send items off, a hundred to a request; without a URL they go nowhere."""
        if self.url is None:
            return
        size = 1 if self._manners.singly else LARGEST_BATCH
        for start in range(0, len(items), size):
            self._send_off(self.url, items[start : start + size])

    def shown(self) -> dict[str, int]:
        return {name: self.counts[name] for name in ("pushed", "failed_attempts", "dropped", "pending")}

    def clear(self) -> None:
        """Forget what is on its way, and the counts."""
        for task in self._tasks:
            task.cancel()
        self.counts.clear()

    async def close(self) -> None:
        self.clear()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _send_off(self, url: str, batch: list[Item]) -> None:
        if self.counts["pending"] + len(batch) > self._manners.capacity:
            self._drop(batch, "too many on their way")
            return
        task = asyncio.get_running_loop().create_task(self._deliver(url, batch))
        self._tasks.add(task)
        self.counts["pending"] += len(batch)
        task.add_done_callback(lambda done: self._finished(done, len(batch)))

    def _finished(self, task: asyncio.Task[None], items: int) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self.counts["pending"] -= items

    async def _deliver(self, url: str, batch: list[Item]) -> None:
        for delay in (0.0, *self._manners.retry_delays):
            if delay:
                await asyncio.sleep(delay)
            async with self._slots:
                failure = await self._attempt(url, batch)
            if failure is None:
                self.counts["pushed"] += len(batch)
                return
            self.counts["failed_attempts"] += 1
            log.warning("%s push of %d failed: %s", self.name, len(batch), failure)
        self._drop(batch, "out of attempts")

    def _drop(self, batch: list[Item], reason: str) -> None:
        self.counts["dropped"] += len(batch)
        log.warning("%s push of %d dropped: %s", self.name, len(batch), reason)

    async def _attempt(self, url: str, batch: list[Item]) -> str | None:
        """Post once; say what was wrong, or None."""
        headers = {"Content-Type": "application/json;charset=UTF-8"}
        try:
            post = self._opened().post(url, data=self._written(batch), headers=headers, allow_redirects=False)
            async with post as answer:
                return self._complaint(answer.status, await _beginning(answer))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # Only the kind: the text of some of these holds the URL, and with it its secret path.
            return type(error).__name__

    def _written(self, batch: list[Item]) -> bytes:
        return encoded(batch[0] if self._manners.singly else batch)

    def _complaint(self, status: int, body: bytes) -> str | None:
        """Judge an answer: HTTP 200, and JSON that the service likes."""
        if status != 200:  # noqa: PLR2004 - HTTP's own number
            return f"HTTP {status}"
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = None
        return self._manners.complaint(said)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._manners.timeout)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """Read as much of an answer as a good one could hold."""
    body = b""
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > LONGEST_ANSWER:
            break
    return body
