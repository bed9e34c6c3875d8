"""What a fault does to one call's connection and answer."""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, assert_never

from aiohttp import web

from smsgate.sandbox.answers import WORDS, Rejection, encoded
from smsgate.sandbox.faults.board import Disturbance
from smsgate.sandbox.faults.specs import CallFault, Drip, Hang, Html, Refusal, Reset, Throttle, Unavailable

JSON: Final = "application/json;charset=utf-8"
_DRIPS: Final = 50
_AT_ONCE: Final = struct.pack("ii", 1, 0)

_PAGE: Final = """<!doctype html>
<html><head><title>{status} {phrase}</title></head>
<body><center><h1>{status} {phrase}</h1></center><hr><center>Tengine</center></body></html>
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over the wire, and under which ending it is counted."""

    status: int
    body: bytes
    ending: str
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        return web.Response(body=self.body, status=self.status, headers={"Content-Type": JSON, **self.headers})


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call that waits for its answer; `take` lets the action take place, `say` puts a fault in words."""

    request: web.Request
    take: Callable[[], Answer]
    count: Callable[[str], None]
    say: Callable[[Throttle | Refusal | Unavailable], Answer]


async def disturbed(exchange: Exchange, disturbance: Disturbance) -> web.StreamResponse:
    """Answer in the way that the fault wants it; a delay comes after the message was taken."""
    fault = disturbance.fault
    answer = exchange.take() if fault is None or getattr(fault, "accepted", False) else None
    if disturbance.delay_ms:
        await asyncio.sleep(disturbance.delay_ms / 1000)
    if fault is not None:
        exchange.count(_ending(fault))
        return await _broken(exchange, fault, answer)
    if answer is None:
        raise AssertionError("without a fault the action takes place")
    exchange.count(answer.ending)
    return answer.response()


async def _broken(exchange: Exchange, fault: CallFault, answer: Answer | None) -> web.StreamResponse:
    request = exchange.request
    match fault:
        case Throttle() | Refusal() | Unavailable():
            return exchange.say(fault).response()
        case Html():
            phrase = HTTPStatus(fault.status).phrase
            text = _PAGE.format(status=fault.status, phrase=phrase)
            return web.Response(text=text, status=fault.status, content_type="text/html")
        case Reset():
            return _cut(request)
        case Hang():
            await asyncio.sleep(fault.seconds)
            return _cut(request)
        case Drip():
            return await _dripped(request, answer, fault.seconds)
        case _:
            assert_never(fault)


def said(fault: Throttle | Refusal | Unavailable) -> Answer:
    """Put a fault in Dysmsapi's words."""
    match fault:
        case Throttle():
            wait = {"x-acs-retry-after": str(fault.retry_after_ms)} if fault.retry_after_ms else {}
            what = "api" if fault.code == "Throttling.Api" else "user"
            return answer_of(Rejection(400, fault.code, f"Request was denied due to {what} flow control."), wait)
        case Refusal():
            message = fault.message if fault.message is not None else WORDS.get(fault.code, fault.code)
            return answer_of(Rejection(200, fault.code, message))
        case Unavailable():
            message = "The request has failed due to a temporary failure of the server."
            return answer_of(Rejection(fault.status, fault.code, message))


def answer_of(rejection: Rejection, headers: dict[str, str] | None = None) -> Answer:
    return Answer(rejection.status, encoded(rejection.body()), rejection.code, headers or {})


def _ending(fault: CallFault) -> str:
    if isinstance(fault, Throttle | Refusal | Unavailable):
        return fault.code
    name = f"html {fault.status}" if isinstance(fault, Html) else fault.kind
    return f"({name}, accepted)" if fault.accepted else f"({name})"


def _cut(request: web.Request) -> web.Response:
    """Reset the connection; the response returned is never seen."""
    if request.transport is not None:
        reset(request.transport)
    return web.Response()


def reset(transport: asyncio.BaseTransport) -> None:
    """Close with RST: a linger time of zero throws away what is still to be sent."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    if isinstance(transport, asyncio.Transport):
        transport.abort()


async def _dripped(request: web.Request, answer: Answer | None, seconds: float) -> web.StreamResponse:
    if answer is None:
        raise AssertionError("a drip has the message taken first")
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": JSON, **answer.headers})
    response.content_length = len(answer.body)
    await response.prepare(request)
    step = max(1, len(answer.body) // _DRIPS)
    for start in range(0, len(answer.body), step):
        await asyncio.sleep(seconds * step / len(answer.body))
        try:
            await response.write(answer.body[start : start + step])
        except ConnectionError:
            break  # the client has had enough
    return response
