"""A provider on a real socket that answers as a test tells it, wrong ways of answering included."""

import contextlib
import json
import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from smsgate.channels.aliyun import AliyunChannel, AliyunConfig
from smsgate.channels.channel import Channel, Submission
from smsgate.message import MessageId
from smsgate.phone import parse
from smsgate.sandbox.process import SandboxProcess
from tests.integration.channels.contract import KEYS, PROVIDERS, Provider

# An SDK may read these when it is imported, which no fixture comes early enough for.
for variable, value in KEYS.items():
    os.environ.setdefault(variable, value)

LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came over the wire."""

    headers: dict[str, str]
    query: dict[str, str]
    body: bytes


class Exchange(BaseHTTPRequestHandler):
    """One connection; `scene.answer` decides what goes back on it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Wire"

    def setup(self) -> None:
        super().setup()
        self.server.scene.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        asked = Asked({name.lower(): value for name, value in self.headers.items()}, query, body)
        self.server.scene.asked.append(asked)
        self.server.scene.answer(self, asked)

    def do_GET(self) -> None:
        self.server.scene.credentials(self)

    def reply(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.raw_reply(raw, status, {"Content-Length": str(len(raw)), **(headers or {})})

    def raw_reply(self, raw: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(timestamp) if self.server.scene.date is None else self.server.scene.date

    def hang_up(self) -> None:
        self.close_connection = True

    def reset(self) -> None:
        """Hang up with an RST instead of a FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def echo(exchange: Exchange, asked: Asked) -> None:
    """Accept, with an id that shows whose answer it is."""
    exchange.reply({"Code": "OK", "Message": "OK", "RequestId": "r", "BizId": f"biz-{asked.query.get('OutId')}"})


def no_credentials(exchange: Exchange) -> None:
    exchange.reply({}, status=404)


@dataclass(slots=True)
class Scene:
    """What the provider does, and what it saw."""

    answer: Callable[[Exchange, Asked], None] = echo
    credentials: Callable[[Exchange], None] = no_credentials
    date: str | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)


class Wire(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        super().__init__(("127.0.0.1", 0), Exchange)

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def shutdown_request(self, request: Any) -> None:
        """Spare a connection that is to be reset the FIN that would come before it."""
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(LINGER_NOT)) == LINGER_NOT:
            request.close()
        else:
            super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def scene() -> Iterator[Scene]:
    playing = Scene()
    yield playing
    playing.over.set()


@pytest.fixture
def wire(scene: Scene) -> Iterator[Wire]:
    with Wire(scene) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        scene.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture(params=list(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> Provider:
    """Every provider in turn: a test that asks for it holds for all of them."""
    return PROVIDERS[request.param]


@pytest.fixture
def reach(provider: Provider, wire: Wire, scene: Scene) -> Callable[..., Channel]:
    """Give a way to build the provider's channel to the wire, which accepts unless it is told otherwise."""
    scene.answer = provider.accept
    quick = {"connect_timeout_ms": 1_000, "read_timeout_ms": 1_000}
    return lambda **options: provider.channel(wire.endpoint, **{**quick, **options})


@pytest.fixture
def config(wire: Wire) -> AliyunConfig:
    return AliyunConfig(wire.endpoint, "http", connect_timeout_ms=1_000, read_timeout_ms=1_000)


@pytest.fixture
def channel(config: AliyunConfig) -> AliyunChannel:
    return AliyunChannel(config)


@pytest.fixture
def submission() -> Submission:
    return submission_of("m-1")


def submission_of(message_id: str, to: str = "13900000001") -> Submission:
    return Submission(MessageId(message_id), parse(to), "阿里云", "SMS_154950909", {"code": "918273"})


@pytest.fixture
def submitting() -> Callable[..., Submission]:
    return submission_of


@pytest.fixture(scope="module")
def started() -> Iterator[SandboxProcess]:
    with SandboxProcess(report_delay=0.01, retry_delays=[], tencent_sessions=True) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started: SandboxProcess) -> Iterator[SandboxProcess]:
    yield started
    started.clear_faults()
    started.clear()
    started.callbacks()


@pytest.fixture
def road(sandbox: SandboxProcess) -> AliyunConfig:
    return AliyunConfig(sandbox.endpoint, "http", read_timeout_ms=500)


@pytest.fixture
def free_port() -> int:
    """Give a port on which nobody listens."""
    with contextlib.closing(socket.socket()) as asking:
        asking.bind(("127.0.0.1", 0))
        port: int = asking.getsockname()[1]
        return port


@pytest.fixture
def interrupting() -> Iterator[Callable[[type[Exception]], None]]:
    """Give a way to raise in the main thread from another, as Celery's timer does."""
    wanted: list[type[Exception]] = []

    def strike(*_: object) -> None:
        raise wanted.pop()

    def interrupt(error: type[Exception]) -> None:
        wanted.append(error)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, strike)
    yield interrupt
    signal.signal(signal.SIGUSR1, before)
