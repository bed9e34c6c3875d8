"""The inbox page and its parts, from files inside the package."""

from importlib.resources import files
from typing import Final

from aiohttp import web

from smsgate.sandbox.guard import HEADERS

_TYPES: Final = {
    "inbox.html": "text/html",
    "inbox.css": "text/css",
    "inbox.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


class Page:
    """Serves the files; they are read once, at start."""

    def __init__(self) -> None:
        folder = files("smsgate.sandbox") / "static"
        self._files = {name: (folder / name).read_bytes() for name in _TYPES}

    async def inbox(self, _request: web.Request) -> web.Response:
        return self.response("inbox.html")

    async def part(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._files:
            raise web.HTTPNotFound
        return self.response(name)

    def response(self, name: str) -> web.Response:
        headers = {**HEADERS, "Cache-Control": "no-cache"}
        return web.Response(body=self._files[name], content_type=_TYPES[name], charset="utf-8", headers=headers)
