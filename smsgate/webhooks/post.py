"""Post one webhook: within a bounded time, and with every end told as a value."""

import contextlib
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import requests
from pybreaker import CircuitBreakerError
from requests_hardened.ip_filter import InvalidIPAddress

from smsgate.webhooks.breakers import Breakers, endpoint
from smsgate.webhooks.crowd import Crowd
from smsgate.webhooks.line import Line
from smsgate.webhooks.outcome import Crowded, Delivered, Failed, Outcome, Rejected, Unasked
from smsgate.webhooks.session import Session

# Seconds for the whole call, the resolving of the name and a dripping answer included.
LONGEST_CALL: Final = 10.0
# Seconds, and bytes, granted for a body that nobody reads: a server whose client hangs up at once logs an error.
_BODY_GRACE: Final = 0.2
_BODY_BYTES: Final = 4096
_LONGEST_RETRY_AFTER: Final = 24 * 3600.0
_OWN_HEADERS: Final = {
    "Content-Type": "application/json",
    "User-Agent": "smsgate-webhooks",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


class _Down(Exception):
    """It carries a value past the breaker, which counts exceptions."""

    def __init__(self, outcome: Failed) -> None:
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Post:
    """Post webhooks; `allow_private` lets them go into this machine's own network too."""

    breakers: Breakers
    allow_private: bool = False
    longest: float = LONGEST_CALL
    crowd: Crowd = field(default_factory=Crowd)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Post once, unless the endpoint is down or busy; takes at most `longest` seconds."""
        with self.crowd.place(endpoint(url)) as room:
            return self._unless_down(url, body, headers) if room else Crowded()

    def _unless_down(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        try:
            with self.breakers.of(url).calling():
                return _raised_if_down(self._bounded(url, body, headers))
        except _Down as down:
            return down.outcome
        except CircuitBreakerError:
            return Unasked()

    def _bounded(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Call in a thread, and cut it off: resolving a name cannot be interrupted, and may take half a minute."""
        line = Line()
        answer: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        call = threading.Thread(target=self._call, args=(line, answer, url, body, headers), daemon=True)
        call.start()
        try:
            outcome = answer.get(timeout=self.longest)
            call.join(_BODY_GRACE)
        except queue.Empty:
            return Failed("timeout", down=True)
        finally:
            line.cut()
        return outcome

    def _call(
        self, line: Line, answer: "queue.SimpleQueue[Outcome]", url: str, body: bytes, headers: Mapping[str, str]
    ) -> None:
        with Session(line, allow_private=self.allow_private) as session:
            try:
                response = session.post(url, data=body, headers={**_OWN_HEADERS, **headers}, stream=True)
            except Exception as error:  # noqa: BLE001 - whatever it was, somebody waits for an answer
                answer.put(_broken(error))
                return
            answer.put(_answered(response.status_code, response.headers.get("Retry-After")))
            with contextlib.suppress(Exception), contextlib.closing(response):
                response.raw.read(_BODY_BYTES, decode_content=False)


def _raised_if_down(outcome: Outcome) -> Outcome:
    if isinstance(outcome, Failed) and outcome.down:
        raise _Down(outcome)
    return outcome


def _answered(status: int, retry_after: str | None) -> Outcome:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivered(status)
    if status == HTTPStatus.GONE:  # by the specification: the receiver wants no more
        return Rejected("gone")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Failed("redirect_refused")
    down = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return Failed(f"status_{status}", _seconds(retry_after), down)


def _broken(error: Exception) -> Outcome:
    match error:
        case InvalidIPAddress():
            return Rejected("address_refused")
        case requests.Timeout():
            return Failed("timeout", down=True)
        case requests.exceptions.SSLError():
            return Failed("tls", down=True)
        case ValueError():  # requests' own InvalidURL, and the UnicodeError of a name that cannot be resolved
            return Rejected("invalid_url")
        case _:
            return Failed("connection", down=True)


def _seconds(retry_after: str | None) -> float | None:
    """Read Retry-After (RFC 9110 §10.2.3), seconds or a date; at most a day."""
    if retry_after is None:
        return None
    try:
        if retry_after.strip().isdecimal():
            wait = float(retry_after)
        else:
            wait = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(wait, 0.0), _LONGEST_RETRY_AFTER)
