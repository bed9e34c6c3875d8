"""Putting the sandbox together, and serving it until it is told to stop."""

import asyncio
import signal
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from aiohttp import web
from pydantic import AnyHttpUrl

from smsgate.sandbox.authentication import Authenticator
from smsgate.sandbox.control import Control
from smsgate.sandbox.door import Door
from smsgate.sandbox.evidence import Evidence
from smsgate.sandbox.faults.board import FaultBoard
from smsgate.sandbox.flow_control import FlowControl
from smsgate.sandbox.guard import Guard
from smsgate.sandbox.inbox import Inbox, Service
from smsgate.sandbox.listener import Listener
from smsgate.sandbox.live import Live
from smsgate.sandbox.logs import http_logger
from smsgate.sandbox.nonces import Nonces
from smsgate.sandbox.page import Page
from smsgate.sandbox.provider import Provider
from smsgate.sandbox.pushes import Manners, Pusher, result_complaint
from smsgate.sandbox.receipts import Carrier, Post, report
from smsgate.sandbox.settings import SandboxSettings
from smsgate.sandbox.tally import Tally
from smsgate.sandbox.tencent.actions import Account
from smsgate.sandbox.tencent.authentication import Authenticator as TencentAuthenticator
from smsgate.sandbox.tencent.door import TencentDoor
from smsgate.sandbox.tencent.receipts import report as tencent_report

# A thousand numbers in the URL make a request line of 19 kB, and their variables as much again; aiohttp's own
# limit is 8,190 bytes.
LONGEST_LINE: Final = 256 * 1024
LARGEST_BODY: Final = 4 * 1024 * 1024
# Long enough to finish an answer; a call that hangs on purpose is not waited for.
FAREWELL: Final = 0.5


async def serve(settings: SandboxSettings, *, until_stdin_closes: bool = False) -> None:
    """Serve until a signal comes or, where asked, until whoever holds the other end of stdin is gone."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    if until_stdin_closes:
        await loop.connect_read_pipe(lambda: _Watch(stopping), sys.stdin)
    sandbox = _assembled(settings)
    runner = web.AppRunner(
        sandbox.app,
        access_log=None,
        logger=http_logger(),
        max_line_size=LONGEST_LINE,
        max_field_size=LONGEST_LINE,
        shutdown_timeout=FAREWELL,
    )
    try:
        await _started(sandbox, runner)
        await stopping.wait()
    finally:
        await sandbox.close()
        await runner.cleanup()


@dataclass(frozen=True, slots=True)
class _Sandbox:
    app: web.Application
    listener: Listener
    carrier: Carrier
    pushers: tuple[Pusher, ...]

    async def close(self) -> None:
        await self.listener.close()
        for pusher in self.pushers:
            await pusher.close()


class _Watch(asyncio.Protocol):
    """Notices that a pipe's other end has closed."""

    def __init__(self, closed: asyncio.Event) -> None:
        self._closed = closed

    def connection_lost(self, _failure: Exception | None) -> None:
        self._closed.set()


async def _started(sandbox: _Sandbox, runner: web.AppRunner) -> None:
    await runner.setup()
    if runner.server is None:
        raise AssertionError("setup() makes the server")
    sandbox.carrier.start(asyncio.get_running_loop())
    await sandbox.listener.open(runner.server)
    address = sandbox.listener.address
    # The line that SandboxProcess waits for: whoever has read it can connect.
    print(f"smsgate sandbox: http://{address}/ is the inbox, {address} the SDK's endpoint", flush=True)  # noqa: T201 - asked for


def _assembled(settings: SandboxSettings) -> _Sandbox:
    clock = time.time
    live = Live()
    pushers = reports, _, tencent_reports, _ = _pushers(settings)
    inbox = Inbox(settings.capacity, changed=live.touch)
    posts = {
        Service.ALIYUN: Post(report, reports.push),
        Service.TENCENT: Post(partial(tencent_report, sessions=settings.tencent_sessions), tencent_reports.push),
    }
    carrier = Carrier(inbox, posts, settings.report_delay, clock)
    flow_control = FlowControl(settings.capacity) if settings.flow_control else None
    provider = Provider(settings.catalogue(), inbox, carrier, FaultBoard(clock), clock, flow_control)
    evidence = Evidence(provider, Tally(), *pushers, clock=clock)
    listener = Listener(settings.host, settings.port)
    app = _routed(settings, evidence, Control(evidence, listener), live)
    return _Sandbox(app, listener, carrier, pushers)


def _pushers(settings: SandboxSettings) -> tuple[Pusher, Pusher, Pusher, Pusher]:
    manners = Manners(settings.push_timeout, settings.retry_delays, settings.capacity)
    # Tencent pushes twice more, and replies one by one.
    delays = settings.retry_delays[:2]
    theirs = replace(manners, retry_delays=delays, complaint=result_complaint)
    return (
        Pusher("report", _written(settings.report_url), manners),
        Pusher("reply", _written(settings.up_url), manners),
        Pusher("tencent report", _written(settings.tencent_report_url), theirs),
        Pusher("tencent reply", _written(settings.tencent_up_url), replace(theirs, singly=True)),
    )


def _written(url: AnyHttpUrl | None) -> str | None:
    return str(url) if url else None


def _routed(settings: SandboxSettings, evidence: Evidence, control: Control, live: Live) -> web.Application:
    guard, page = Guard((settings.host, *settings.allowed_hosts)), Page()
    secret = settings.access_key_secret.get_secret_value()
    authenticator = Authenticator(settings.access_key_id, secret, Nonces(), evidence.clock)
    tencent = TencentDoor(
        TencentAuthenticator(settings.access_key_id, secret, evidence.clock),
        Account(evidence.provider, settings.tencent_app_id, settings.tencent_sessions),
        evidence.tally,
    )
    guarded = web.Application(middlewares=[guard.middleware()], client_max_size=LARGEST_BODY)
    guarded.add_routes(control.routes())
    guarded.add_routes([web.get("/inbox", page.inbox), web.get("/static/{name}", page.part)])
    guarded.add_routes([web.get("/events", live.stream)])
    app = web.Application(client_max_size=LARGEST_BODY)
    # The door itself has no middleware: every SendSms passes through it.
    app.router.add_route("*", "/", Door(authenticator, evidence.provider, evidence.tally, page, guard, tencent))
    app.add_subapp("/_sandbox/", guarded)
    return app
