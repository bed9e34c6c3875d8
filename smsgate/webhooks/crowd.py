"""How many calls go to one endpoint at a time: one that answers slowly must not take every thread from the others."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# A quarter of the threads that the Procfile gives the webhooks.
MOST: Final = 8


class Crowd:
    """The calls of this process that are under way, by endpoint."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._inside: Counter[str] = Counter()

    @contextmanager
    def place(self, endpoint: str) -> Iterator[bool]:
        """Take a place at an endpoint for as long as the block lasts; gives False where there is none."""
        with self._lock:
            room = self._inside[endpoint] < self._most
            self._inside[endpoint] += room
        try:
            yield room
        finally:
            with self._lock:
                self._inside[endpoint] -= room
                if not self._inside[endpoint]:
                    del self._inside[endpoint]
