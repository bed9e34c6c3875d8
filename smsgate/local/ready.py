"""Wait until every process of the system answers."""

import time
from collections.abc import Callable, Mapping
from typing import Final

import redis
import requests
from kombu.exceptions import OperationalError

from smsgate.errors import SmsgateError
from smsgate.settings import Settings
from workers.app import app

LONGEST_START: Final = 60.0
_WORKERS: Final = frozenset({"otp", "notice", "bulk", "receipts", "questions", "webhooks"})


class NotReady(SmsgateError):
    """A process did not answer in time, or ended; `process` names it."""

    def __init__(self, process: str, what: str) -> None:
        self.process = process
        super().__init__(f"{process} {what}")


def wait(
    settings: Settings, environment: Mapping[str, str], names: frozenset[str], ended: Callable[[], str | None]
) -> None:
    """Ask each process in turn until it answers.

    Raises:
        NotReady: One ended, or did not answer within `LONGEST_START` seconds.
    """
    questions = _questions(settings, environment, names)
    deadline = time.monotonic() + LONGEST_START
    while questions:
        gone = ended()
        if gone:
            raise NotReady(gone, "ended while the system was starting")
        questions = {name: question for name, question in questions.items() if not question()}
        if questions and time.monotonic() > deadline:
            raise NotReady(next(iter(questions)), f"did not answer within {LONGEST_START:.0f} s")
        time.sleep(0.1)


def _questions(
    settings: Settings, environment: Mapping[str, str], names: frozenset[str]
) -> dict[str, Callable[[], bool]]:
    web = f"http://127.0.0.1:{settings.http_port}"
    questions: dict[str, Callable[[], bool]] = {
        "redis": lambda: _pings(environment["SMSGATE_REDIS_URL"]),
        "sandbox": lambda: _answers(f"http://127.0.0.1:{settings.sandbox_port}/_sandbox/health"),
        "web": lambda: _answers(f"{web}/readyz"),
        "flower": lambda: _answers(f"http://127.0.0.1:{settings.flower_port}/healthcheck"),
    }
    # Redis also where it is not ours to start: without it nothing else can answer, and would be blamed.
    asked = {name: question for name, question in questions.items() if name in names | {"redis"}}
    workers = _WORKERS & names
    return {**asked, "/".join(sorted(workers)): lambda: _work(workers)} if workers else asked


def _pings(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url, socket_timeout=1).ping())
    except redis.RedisError:
        return False


def _answers(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False  # a proxy does not reach this machine's own ports
        try:
            return session.get(url, timeout=1).ok
        except requests.RequestException:
            return False


def _work(names: frozenset[str]) -> bool:
    try:
        answers = app.control.ping(timeout=0.5) or []
    except OperationalError:
        return False
    return names <= {node.partition("@")[0] for answer in answers for node in answer}
