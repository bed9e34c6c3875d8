"""What a process does in tests of pacing: its threads book slots of one channel, or write to the same recipients."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.pacing import Pacer
from smsgate.routing.caps import Caps

PROCESSES = 8
THREADS = 4


def everywhere(work: Callable[..., list[int]], *args: object) -> list[int]:
    """Let processes of their own work at the same time; returns what all of them found."""
    with get_context("spawn").Pool(PROCESSES) as pool:
        began = time.time() + 3  # all have started by then
        found = pool.starmap(work, [(began, *args)] * PROCESSES, chunksize=1)
    return [one for some in found for one in some]


def book_for(began: float, url: str, rate: float, seconds: float) -> list[int]:
    """Book with every thread, wait for the slot, and book the next; returns the slots (Unix ms)."""
    pacer = Pacer(connect_briefly(url))
    time.sleep(max(0.0, began - time.time()))

    def book(_thread: int) -> list[int]:
        slots = []
        while time.time() < began + seconds:
            booking = pacer.book("main", rate)
            if booking.later is None:
                slots.append(booking.at)
            time.sleep((booking.later or booking.wait) / 1000)
        return slots

    with ThreadPoolExecutor(THREADS) as crowd:
        return [slot for slots in crowd.map(book, range(THREADS)) for slot in slots]


def write_to(began: float, url: str, recipients: list[Caps], seconds: float) -> list[int]:
    """Write to all recipients as often as their caps allow; returns the index of each that was written to."""
    pacer = Pacer(connect_briefly(url))
    time.sleep(max(0.0, began - time.time()))

    def write(_thread: int) -> list[int]:
        written: list[int] = []
        while time.time() < began + seconds:
            capped = pacer.book("main", None, recipients).capped
            written.extend(one for one in range(len(recipients)) if one not in capped)
        return written

    with ThreadPoolExecutor(THREADS) as crowd:
        return [one for written in crowd.map(write, range(THREADS)) for one in written]
