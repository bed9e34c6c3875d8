"""Messages for the scenarios to send, accepted before the clock starts."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

from bench.system import TEMPLATE, Gateway
from smsgate.ledger.connection import connect_briefly
from smsgate.message import Message
from smsgate.parts import submit_to
from smsgate.settings import Settings

_NUMBERS: Final = count()
NOTICE: Final = ("SMS_200000001", {"name": "王先生", "order": "1001", "date": "明天"})


def phone() -> str:
    """Give a number that nothing was sent to before."""
    place = next(_NUMBERS)
    return f"1{38 + place // 100_000_000}{place % 100_000_000:08d}"


def otp() -> dict[str, Any]:
    return {"to": phone(), "template": TEMPLATE, "params": {"code": "123456"}, "lane": "otp"}


def notice() -> dict[str, Any]:
    return {"to": phone(), "template": NOTICE[0], "params": NOTICE[1], "lane": "notice"}


@contextmanager
def _settings_of(environment: Mapping[str, str]) -> Iterator[Settings]:
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield Settings()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def accept(one: Gateway, messages: Iterator[dict[str, Any]]) -> int:
    """Have messages accepted, as a producer in Python does; returns how many."""
    with _settings_of(one.environment) as settings:
        submit = submit_to(connect_briefly(one.redis_url), settings)
        return sum(1 for message in messages if submit(Message.check(message)).id)


def ndjson(rows: int) -> bytes:
    """Write rows of a batch."""
    return "\n".join(json.dumps({"to": phone(), "params": NOTICE[1]}, ensure_ascii=False) for _ in range(rows)).encode()
