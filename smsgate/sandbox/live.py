"""Telling an open page that something has changed: Server-Sent Events, at most five a second."""

import asyncio
from http import HTTPStatus
from typing import Final

from aiohttp import web

from smsgate.sandbox.guard import HEADERS
from smsgate.sandbox.problems import problem

INTERVAL: Final = 0.2
HEARTBEAT: Final = 15.0
MOST_PAGES: Final = 64


class Live:
    """Counts changes; a page hears the number and asks for what it shows."""

    def __init__(self) -> None:
        self._version = 0
        self._pages = 0
        self._changed = asyncio.Event()

    def touch(self) -> None:
        """Note a change; nothing but an increment while nobody looks."""
        self._version += 1
        if self._pages:
            self._changed.set()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        if self._pages >= MOST_PAGES:
            raise problem(HTTPStatus.SERVICE_UNAVAILABLE, "Too many pages are open.")
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        self._pages += 1
        try:
            await self._tell(response)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._pages -= 1
        return response

    async def _tell(self, response: web.StreamResponse) -> None:
        await response.write(b"retry: 1000\n\n")
        while True:
            self._changed.clear()
            await response.write(f"event: changed\ndata: {self._version}\n\n".encode())
            await asyncio.sleep(INTERVAL)
            try:
                await asyncio.wait_for(self._changed.wait(), HEARTBEAT)
            except TimeoutError:
                await response.write(b": still here\n\n")
