"""The thread that keeps a process in touch with all others: four beats a second while there are calls."""

import os
import threading
import time
from collections.abc import Callable
from typing import Final
from weakref import WeakSet

import structlog

log = structlog.get_logger()

# Seconds between two beats; between two that read only; for which what was read is fresh enough for a call.
BEAT: Final = 0.25
IDLE_BEAT: Final = 0.75
HURRIED_BEAT: Final = 0.05
FRESH: Final = 1.0
# Seconds that a call waits at most for what is known to be refreshed: the first one after a pause.
LONGEST_WAIT: Final = 0.3
# Seconds after the last call for which it goes on.
LINGERS: Final = 10.0
_ALL: Final[WeakSet["Pulse"]] = WeakSet()


class Pulse:
    """Calls `beat` for as long as there is something to tell or to learn; `is_due` says whether there is to tell.

    `beat` returns False when nobody answered. It runs in one thread, and never in a caller's. `forked` is called in the
    child of a fork, which has none of the threads, and all that was counted and locked.
    """

    def __init__(self, beat: Callable[[], bool], is_due: Callable[[], bool], forked: Callable[[], None]) -> None:
        self._beat = beat
        self._is_due = is_due
        self._forked = forked
        self._begin_anew()
        _ALL.add(self)

    def _begin_anew(self) -> None:
        """Forget the thread: a fork leaves it behind, and its locks as they were."""
        self._beaten = threading.Condition()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._read_at = self._tried_at = float("-inf")
        self._used_at = time.monotonic()
        self._is_stopping = self._is_late = False
        self.is_away = False

    def use(self) -> None:
        """Make sure, before a call, that what is known is fresh; a call after a pause waits for that, bounded."""
        self._used_at = now = time.monotonic()
        if now - self._read_at > FRESH:
            self._refresh()

    def keep(self) -> None:
        """Have it beat for what has been counted."""
        self._used_at = time.monotonic()
        if self._thread is None:
            self._start()

    def hurry(self) -> None:
        """Have it beat now, if it has not done so in this moment: a failure is news for everybody."""
        if time.monotonic() - self._tried_at > HURRIED_BEAT:
            self._wake.set()

    def stop(self) -> None:
        """Beat for the last time, and end."""
        thread = self._thread
        if thread is not None:
            self._is_stopping = True
            self._wake.set()
            thread.join()

    def lost(self) -> None:
        """Note that Redis is away: nobody waits for it until a beat finds it back."""
        self.is_away = True
        self.keep()

    def _refresh(self) -> None:
        self._start()
        if self.is_away or self._is_late:
            return
        with self._beaten:
            asked = time.monotonic()
            self._wake.set()
            came = self._beaten.wait_for(lambda: self._tried_at >= asked or self.is_away, LONGEST_WAIT)
            self._is_late = not came  # the others need not wait for the same silence

    def _start(self) -> None:
        with self._beaten:
            if self._thread is None:
                self._is_stopping = False
                self._thread = threading.Thread(target=self._run, name="channel-pulse", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            is_last, is_asked = self._is_stopping, self._wake.is_set()
            self._wake.clear()
            if is_asked or self._is_due() or began - self._tried_at >= IDLE_BEAT:
                self._try(began)
            if self._ends(is_last=is_last):
                return
            self._wake.wait(BEAT)

    def _try(self, began: float) -> None:
        try:
            answered = self._beat()
        except Exception:  # another version's words in Redis, say: each process decides by itself meanwhile
            log.exception("pulse_failed")
            answered = False
        with self._beaten:
            self._tried_at = began
            self.is_away, self._is_late = not answered, False
            if answered:
                self._read_at = began
            self._beaten.notify_all()

    def _ends(self, *, is_last: bool) -> bool:
        with self._beaten:
            is_unused = time.monotonic() - self._used_at > LINGERS and not self._is_due()
            if is_last or is_unused:
                self._thread = None
            return is_last or is_unused


def _begin_all_anew() -> None:
    for pulse in _ALL:
        pulse._begin_anew()  # noqa: SLF001 - its own
        pulse._forked()  # noqa: SLF001 - likewise


os.register_at_fork(after_in_child=_begin_all_anew)
