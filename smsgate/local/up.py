"""`smsgate up`: start the whole system, send one sample through it, show its timeline, serve until told to stop."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from smsgate.ledger.api_keys import ApiKeys
from smsgate.ledger.connection import connect_briefly
from smsgate.local import plan as planning
from smsgate.local import ready, state
from smsgate.local.client import Client
from smsgate.local.processes import Processes, last_lines
from smsgate.local.show import print_timeline
from smsgate.local.welcome import print_welcome
from smsgate.settings import Settings, load

SAMPLE: Final[dict[str, Any]] = {
    "to": "13800138000",
    "template": "SMS_154950909",
    "params": {"code": "123456"},
    "lane": "otp",
    "reference": "smsgate up",
}


def up(console: Console, procfile: Path, *, once: bool = False) -> int:
    """Start, show, serve; returns the exit status. With `once`, stop after the sample.

    Raises:
        SettingsError: A setting is missing or wrong, or a port is taken; nothing was started.
    """
    settings = load()
    planning.require(procfile)
    state.prepare()
    state.lock("up", "`smsgate up`")
    plan = planning.draw_up(settings, procfile)
    os.environ.update(plan.environment)
    state.write_environment({name: plan.environment[name] for name in planning.SHARED_WITH_SHELLS if not plan.real})
    stopped = _stop_signals()
    processes = Processes(plan.commands, plan.environment)
    began = time.monotonic()
    console.print(f"Starting {', '.join(plan.commands)} …")
    try:
        processes.start()
        ready.wait(settings, plan.environment, frozenset(plan.commands), lambda: _interrupted(stopped, processes))
        _introduce(console, settings, plan, began)
        return 0 if once else _serve(console, processes, stopped)
    except ready.NotReady as error:
        return _explain(console, error, interrupted=stopped.is_set())
    finally:
        console.print("Stopping …")
        for name in processes.stop():
            console.print(f"[yellow]{name} did not end in time and was killed.[/]")


def _stop_signals() -> threading.Event:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def _interrupted(stopped: threading.Event, processes: Processes) -> str | None:
    return "start-up" if stopped.is_set() else processes.ended()


def _introduce(console: Console, settings: Settings, plan: planning.Plan, began: float) -> None:
    web = f"http://127.0.0.1:{settings.http_port}"
    client = Client(web, _dev_key(web, plan.environment["SMSGATE_REDIS_URL"]))
    sample = _sample(plan)
    if sample:
        known = client.follow(client.send(sample)["id"])
        console.print(f"One sample SMS went all the way, {time.monotonic() - began:.1f} s after the start:\n")
        print_timeline(console, known)
        if known["state"] != "delivered":
            console.print("[red]It was not delivered.[/] `smsgate doctor` says what may be wrong.")
    print_welcome(console, settings, plan)


def _sample(plan: planning.Plan) -> dict[str, Any] | None:
    """Choose the sample; with the real provider only to a number that its owner has named."""
    if not plan.real:
        return SAMPLE
    to = os.environ.get("SMSGATE_SAMPLE_TO")
    template = os.environ.get("SMSGATE_SAMPLE_TEMPLATE", str(SAMPLE["template"]))
    return {**SAMPLE, "to": to, "template": template} if to else None


def _dev_key(web: str, redis_url: str) -> str:
    """Keep the development key of the last run if this Redis still knows it."""
    if state.DEV_KEY.exists():
        known = state.DEV_KEY.read_text(encoding="utf-8").strip()
        if Client(web, known).accepts_key():
            return known
    key = ApiKeys(connect_briefly(redis_url)).create("dev")
    state.write_private(state.DEV_KEY, key)
    return key


def _serve(console: Console, processes: Processes, stopped: threading.Event) -> int:
    while not stopped.wait(0.5):
        gone = processes.ended()
        if gone:
            console.print(f"[red]{gone} ended; its last lines:[/]")
            console.print(last_lines(gone), markup=False, highlight=False)
            return 1
    return 0


def _explain(console: Console, error: ready.NotReady, *, interrupted: bool) -> int:
    if interrupted:
        return 130
    console.print(f"[red]{error}.[/] Its last lines (all of them are in {state.HERE / 'log'}):")
    for name in error.process.split("/"):
        console.print(last_lines(name), markup=False, highlight=False)
    return 1
