"""Who may use the control interface: this machine's user, not a web page that the browser happens to have open."""

import ipaddress
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from smsgate.sandbox.problems import problem

_CHANGES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Checks Host against rebinding, and Origin and content type against forged requests."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = frozenset({"localhost", *(name.lower() for name in names)})

    def middleware(self) -> Middleware:
        """Make the guard stand before every handler of an application."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                self.check(request)
                response = await handler(request)
            except web.HTTPException as failure:
                _protect(failure)
                raise
            if not response.prepared:
                _protect(response)
            return response

        return guarded

    def check(self, request: web.Request) -> None:
        """Let the request pass, or raise the problem with it."""
        if not self._knows(request.headers.get("Host", "")):
            detail = "This Host is not the sandbox's: name it in SMSGATE_SANDBOX_ALLOWED_HOSTS."
            raise problem(HTTPStatus.MISDIRECTED_REQUEST, detail)
        if request.method in _CHANGES:
            _require_own_origin(request)
        if request.method in _WITH_BODY and request.content_type != "application/json":
            raise problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send Content-Type: application/json.")

    def _knows(self, host: str) -> bool:
        """Take addresses and known names: a page that rebinds its name to 127.0.0.1 still sends that name."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        return name in self._names or _is_address(name)


def _protect(response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _require_own_origin(request: web.Request) -> None:
    """Refuse another site's page; what is no browser sends no Origin."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.headers.get('Host', '')}":
        raise problem(HTTPStatus.FORBIDDEN, "This comes from another site's page.")
