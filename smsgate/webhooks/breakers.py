"""A circuit breaker for each endpoint: one that is down is left alone for a while."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from pybreaker import CircuitBreaker, CircuitBreakerStorage

# Failures in a row after which an endpoint is left alone, and for how many seconds before one try.
FAILURES: Final = 5
PAUSE: Final = 30.0
# Anybody may name endpoints: they must not fill a process's memory. The state itself is in the storage.
_MOST_REMEMBERED: Final = 1000
_PORTS: Final = {"http": 80, "https": 443}


class Breakers:
    """The breakers of this process; processes share their state through what `storage` gives for an endpoint."""

    def __init__(self, storage: Callable[[str], CircuitBreakerStorage], *, pause: float = PAUSE) -> None:
        self._storage = storage
        self._pause = pause
        self._known: dict[str, CircuitBreaker] = {}

    def of(self, url: str) -> CircuitBreaker:
        """Give the breaker of a URL's endpoint."""
        name = endpoint(url)
        breaker = self._known.get(name)
        if breaker is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            breaker = CircuitBreaker(
                fail_max=FAILURES,
                reset_timeout=self._pause,
                state_storage=self._storage(name),
                name=name,
                throw_new_error_on_trip=False,  # the failure that trips it is told as what it was
            )
            self._known[name] = breaker
        return breaker


def endpoint(url: str) -> str:
    """Name scheme, host and port of a URL: all of it that may be logged, for path and query may hold tokens."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}:{parts.port or _PORTS[parts.scheme]}"
