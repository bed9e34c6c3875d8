"""The listening socket, which can be closed for a while so that connections are refused."""

import asyncio
import errno
import socket
from typing import Final

from aiohttp import web

from smsgate.sandbox.disturbances import reset

Server = web.Server

BACKLOG: Final = 1024


class PortTaken(OSError):
    """Somebody else listens there; the text names the setting to change."""


class Listener:
    """Listen for an aiohttp server on one address and port; port 0 becomes the one that was free."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self.port = port
        self._family = socket.AF_INET
        self._ip = host
        self._server: Server | None = None
        self._listening: asyncio.Server | None = None
        self._reopening: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """`host:port`, as a URL has it."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self.port}"

    async def open(self, server: Server) -> None:
        """Begin to listen for this server.

        Raises:
            PortTaken: The port is in use.
        """
        self._server = server
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self._family, _, _, _, address = found[0]
        self._ip = str(address[0])
        bound = self._bound()
        self.port = bound.getsockname()[1]
        await self._listen(bound)

    async def refuse(self, seconds: float, spare: asyncio.BaseTransport | None = None) -> None:
        """Refuse connections for `seconds` and reset the open ones, but for the one to spare."""
        if self._reopening is not None:
            self._reopening.cancel()
        held = self._stop_listening()
        for connection in self._server.connections if self._server is not None else ():
            if connection.transport is not None and connection.transport is not spare:
                reset(connection.transport)
        await asyncio.sleep(0)  # the event loop closes them in its next round: before the caller is told that it is so
        self._reopening = asyncio.get_running_loop().create_task(self._reopen(held, seconds))

    async def close(self) -> None:
        if self._reopening is not None:
            self._reopening.cancel()
        if self._listening is not None:
            self._listening.close()

    def _stop_listening(self) -> socket.socket:
        """Close the socket and bind its port anew without listening: refused, and nobody else can take it.

        In one go, without awaiting: a busy machine gives a port that is free for a moment to some connection.
        """
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        return self._bound()

    async def _reopen(self, held: socket.socket, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            held.close()
            raise
        await self._listen(held)

    async def _listen(self, bound: socket.socket) -> None:
        if self._server is None:
            raise AssertionError("open() comes first")
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._server, sock=bound, backlog=BACKLOG)

    def _bound(self) -> socket.socket:
        bound = socket.socket(self._family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((self._ip, self.port))
        except OSError as failure:
            bound.close()
            raise self._unbindable(failure) from failure
        return bound

    def _unbindable(self, failure: OSError) -> OSError:
        if failure.errno != errno.EADDRINUSE:
            return failure
        return PortTaken(
            f"Port {self.port} of {self._host} is taken: stop what listens there, "
            "or set SMSGATE_SANDBOX_PORT to another port (0 picks a free one)."
        )
