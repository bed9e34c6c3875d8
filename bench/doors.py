"""The web processes that scenario 1 knocks at: ours, and what people write."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import requests

from bench.system import BIN, free_port, gateway, line, process, redis_server, sandbox, until, web
from bench.wrk import Load, load

BODY: Final[dict[str, Any]] = {
    "to": "13700000000",
    "template": "SMS_154950909",
    "params": {"code": "123456"},
    "lane": "otp",
}
OURS: Final = "ours: POST /v1/messages"
BARE, PLAIN = "bare Flask view, granian", "plain apply_async view, granian"
# What suits us need not suit them: a view that waits for nothing is faster on one thread than on sixteen.
BARE_ALONE, PLAIN_ALONE = f"{BARE} with one thread", f"{PLAIN} with one thread"
GTHREAD: Final = "plain apply_async view, gunicorn gthread"
# A thread each for what 64 connections can have in hand at once; Gunicorn's documentation says 2 to 4 for each core
# where a view computes, and this one waits for Redis.
_THREADS: Final = 16
# One for each connection: with fewer, requests would wait for a thread and not for the provider.
_WAITING_THREADS: Final = 64

Knock = Callable[[int, float], Load]


def doors(stack: ExitStack, latencies: Sequence[int]) -> dict[str, Knock]:
    """Open every door; each takes a number of connections, and seconds."""
    url = stack.enter_context(redis_server())
    provider = stack.enter_context(sandbox())
    one = gateway(url, provider.endpoint)
    ours = stack.enter_context(web(one))
    plain = {"PLAIN_BROKER": url, "PLAIN_ENDPOINT": provider.endpoint}
    granian = stack.enter_context(_granian(plain))
    alone = stack.enter_context(_granian(plain, blocking_threads="1"))
    gthread = stack.enter_context(_gunicorn(plain, _THREADS))
    found = {
        BARE: _door(f"{granian}/bare"),
        BARE_ALONE: _door(f"{alone}/bare"),
        PLAIN: _door(f"{granian}/queued"),
        PLAIN_ALONE: _door(f"{alone}/queued"),
        GTHREAD: _door(f"{gthread}/queued"),
        OURS: _door(f"{ours}/v1/messages", {"Authorization": f"Bearer {one.key()}"}),
    }
    for latency in latencies:
        slow = stack.enter_context(sandbox(latency))
        base = stack.enter_context(_gunicorn({**plain, "PLAIN_ENDPOINT": slow.endpoint}, _WAITING_THREADS))
        found[waiting(latency)] = _door(f"{base}/sync")
    return found


def waiting(latency: int) -> str:
    """Name the door behind which the SDK is called while the client waits."""
    return f"the SDK in the view, a provider of {latency} ms, gunicorn gthread"


def _door(url: str, headers: Mapping[str, str] | None = None) -> Knock:
    return lambda connections, seconds: load(url, BODY, headers or {}, connections=connections, seconds=seconds)


@contextmanager
def _granian(environment: Mapping[str, str], **changed: str) -> Iterator[str]:
    """Serve the plain views with the options of our own web process, some of them changed."""
    port = free_port()
    command = line("web", **changed)
    command[-1] = command[-1].replace("smsgate.http.app:create_app", "bench.plain:view")
    with process(command, {**environment, "SMSGATE_HTTP_PORT": str(port)}):
        yield _answering(port)


@contextmanager
def _gunicorn(environment: Mapping[str, str], threads: int) -> Iterator[str]:
    port = free_port()
    options = ["-k", "gthread", "--threads", str(threads), "-b", f"127.0.0.1:{port}", "--worker-connections", "2000"]
    with process([str(BIN / "gunicorn"), *options, "bench.plain:view()"], environment):
        yield _answering(port)


def _answering(port: int) -> str:
    base = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return requests.post(f"{base}/bare", json={}, timeout=1).ok
        except requests.ConnectionError:
            return False

    until(answers, "the plain web process answers")
    return base
