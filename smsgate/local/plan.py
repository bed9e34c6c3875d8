"""What `smsgate up` will start: which lines of the Procfile, with which environment, on which ports."""

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from honcho.environ import parse_procfile

from smsgate.errors import SettingsError
from smsgate.local import state
from smsgate.settings import Settings, name_of

# The sandbox knows these; they open nothing else.
SANDBOX_ENVIRONMENT: Final = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "testid",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "testsecret",
    "SMSGATE_ALIYUN_PROTOCOL": "http",
}
# What points another shell's commands (`smsgate doctor`, `smsgate send`) at the running system.
SHARED_WITH_SHELLS: Final = (
    *SANDBOX_ENVIRONMENT,
    "SMSGATE_REDIS_URL",
    "SMSGATE_ALIYUN_ENDPOINT",
    "SMSGATE_SIGN",
    "SMSGATE_CALLBACK_SECRET",
)
SANDBOX_SIGN: Final = "阿里云短信测试"
# The SDK would send its calls to the sandbox through a proxy: it honours these and ignores NO_PROXY.
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_NOT_ITS_MESSAGES: Final = (
    "SMSGATE_REDIS_URL is on another host, and ALIBABA_CLOUD_ACCESS_KEY_ID is not set: the sandbox would take that "
    "Redis's messages and call them delivered. Set the credentials to send for real, or unset SMSGATE_REDIS_URL. "
    "(With a RAM role, start the Procfile's lines under your own supervisor.)"
)
_ONE_REDIS: Final = (
    "SMSGATE_BROKER_URL is set: `smsgate up` serves with one Redis for everything. Unset it, or start the Procfile's "
    "lines under your own supervisor."
)
# Each port with the setting that moves it, and the process that listens there.
_PORTS: Final = {"web": "http_port", "sandbox": "sandbox_port", "flower": "flower_port", "redis": "redis_port"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The processes by name, each with its command; the environment that all of them get."""

    commands: Mapping[str, str]
    environment: Mapping[str, str]
    real: bool  # the real provider: every SMS costs money


def require(procfile: Path) -> None:
    """Make sure that there is a Procfile before anything is written.

    Raises:
        SettingsError: There is none.
    """
    if not procfile.exists():
        raise SettingsError(
            f"There is no {procfile}; run `smsgate up` in the project's folder, or name one: --procfile"
        )


def draw_up(settings: Settings, procfile: Path) -> Plan:
    """Decide what to start.

    The real provider only when both its credentials and a Redis of one's own are set: whoever has credentials
    lying in the environment must not send, and pay, by trying this out.

    Raises:
        SettingsError: There is a broker besides Redis, a port is taken, the real provider lacks a setting, or the
            sandbox would work on the messages of a Redis elsewhere.
    """
    if settings.has_own_broker:
        raise SettingsError(_ONE_REDIS)
    own_redis = bool(os.environ.get("SMSGATE_REDIS_URL")) and settings.redis_url != embedded_redis(settings)
    real = own_redis and _has_credentials()
    if own_redis and not real and urlsplit(settings.redis_url).hostname not in _LOOPBACK:
        raise SettingsError(_NOT_ITS_MESSAGES)
    left_out = ({"redis"} if own_redis else set()) | ({"sandbox"} if real else set())
    lines = parse_procfile(procfile.read_text(encoding="utf-8")).processes
    commands = {name: command for name, command in lines.items() if name not in left_out}
    taken = list(_taken_ports(settings, commands))
    if taken:
        raise SettingsError("\n".join(taken))
    return Plan(commands, _real(settings) if real else _sandboxed(settings, own_redis=own_redis), real)


def embedded_redis(settings: Settings) -> str:
    """Name the embedded Redis; a shell that has read `.smsgate/env` names it too."""
    return f"redis://127.0.0.1:{settings.redis_port}/0"


def _has_credentials() -> bool:
    key_id = os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID")
    return bool(key_id) and key_id != SANDBOX_ENVIRONMENT["ALIBABA_CLOUD_ACCESS_KEY_ID"]


def _taken_ports(settings: Settings, commands: Mapping[str, str]) -> Iterator[str]:
    for process, setting in _PORTS.items():
        port = getattr(settings, setting)
        if process in commands and not _is_free(port):
            variable = name_of(setting)
            yield f"Port {port} is taken, and {process} needs it: free it, or set {variable} to another."


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _shared(settings: Settings) -> dict[str, str]:
    """Build what every process needs: our programs on the path, and the secrets of this machine."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "SMSGATE_CALLBACK_SECRET": settings.callback_secret or state.secret("callback.secret"),
        "SMSGATE_FLOWER_PASSWORD": settings.flower_password or state.secret("flower.password"),
    }


def _real(settings: Settings) -> dict[str, str]:
    if settings.sign is None:
        raise SettingsError("SMSGATE_SIGN is not set: the real provider sends only under a sign it has approved.")
    return _shared(settings)


def _sandboxed(settings: Settings, *, own_redis: bool) -> dict[str, str]:
    shared = _shared(settings)
    kept = {name: value for name, value in shared.items() if name not in _PROXIES}
    redis_url = settings.redis_url if own_redis else embedded_redis(settings)
    callbacks = f"http://127.0.0.1:{settings.http_port}/callbacks/aliyun/{shared['SMSGATE_CALLBACK_SECRET']}"
    return {
        **kept,
        **SANDBOX_ENVIRONMENT,
        "SMSGATE_REDIS_URL": redis_url,
        "SMSGATE_ALIYUN_ENDPOINT": f"127.0.0.1:{settings.sandbox_port}",
        "SMSGATE_SIGN": settings.sign or SANDBOX_SIGN,
        # A developer receives webhooks on this machine.
        "SMSGATE_WEBHOOK_ALLOW_PRIVATE": "true",
        "SMSGATE_SANDBOX_REPORT_URL": f"{callbacks}/sms-report",
        "SMSGATE_SANDBOX_UP_URL": f"{callbacks}/sms-up",
    }
