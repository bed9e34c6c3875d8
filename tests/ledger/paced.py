"""What a process does in tests of pacing: its threads book slots, call a server, or write to the same recipients."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.pacing import Pacer
from smsgate.routing.caps import Caps

PROCESSES = 8
THREADS = 4


class Counting:
    """A server that takes so many calls in each second of its clock, and throttles the others; answers in 20 ms."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._server.getsockname()[1])
        self.taken: list[float] = []
        self.throttled: list[float] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client:
            while client.recv(1):
                taken = self._takes(time.time())
                time.sleep(0.02)
                client.sendall(b"y" if taken else b"n")

    def _takes(self, now: float) -> bool:
        with self._lock:
            if sum(int(at) == int(now) for at in self.taken[-self._limit :]) >= self._limit:
                self.throttled.append(now)
                return False
            self.taken.append(now)
            return True


def everywhere(work: Callable[..., list[int]], url: str, *args: object, processes: int = PROCESSES) -> list[int]:
    """Let processes of their own work at the same time; returns what all of them found."""
    with get_context("spawn").Pool(processes) as pool:
        found = pool.starmap(_when_all_are_there, [(processes, work, url, *args)] * processes, chunksize=1)
    return [one for some in found for one in some]


def _when_all_are_there(processes: int, work: Callable[..., list[int]], url: str, *args: object) -> list[int]:
    store = connect_briefly(url)
    store.incr("there")
    while int(str(store.get("there"))) < processes:
        time.sleep(0.01)
    return work(url, *args)


def book_for(url: str, rate: float, seconds: float) -> list[int]:
    """Book with every thread, wait for the slot, and book the next; returns the slots (Unix ms)."""
    pacer, until = Pacer(connect_briefly(url)), time.monotonic() + seconds

    def book(_thread: int) -> list[int]:
        slots = []
        while time.monotonic() < until:
            booking = pacer.book("main", rate)
            if booking.later is None:
                slots.append(booking.at)
            time.sleep((booking.later or booking.wait) / 1000)
        return slots

    with ThreadPoolExecutor(THREADS) as crowd:
        return [slot for slots in crowd.map(book, range(THREADS)) for slot in slots]


def write_to(url: str, recipients: list[Caps], seconds: float) -> list[int]:
    """Write to all recipients as often as their caps allow; returns the index of each that was written to."""
    pacer, until = Pacer(connect_briefly(url)), time.monotonic() + seconds

    def write(_thread: int) -> list[int]:
        written: list[int] = []
        while time.monotonic() < until:
            capped = pacer.book("main", None, recipients).capped
            written.extend(one for one in range(len(recipients)) if one not in capped)
        return written

    with ThreadPoolExecutor(THREADS) as crowd:
        return [one for written in crowd.map(write, range(THREADS)) for one in written]


def call_for(url: str, port: int, declared: float, seconds: float) -> list[int]:
    """Call the server with twice as many threads, as fast as the pace allows; reports what is throttled."""
    pacer, until = Pacer(connect_briefly(url)), time.monotonic() + seconds

    def call(_thread: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            while time.monotonic() < until:
                booking = pacer.book("main", declared)
                time.sleep((booking.later or booking.wait) / 1000)
                if booking.later is not None:
                    continue
                server.sendall(b"?")
                if server.recv(1) == b"n":
                    pacer.throttled("main", declared)

    with ThreadPoolExecutor(2 * THREADS) as crowd:
        list(crowd.map(call, range(2 * THREADS)))
    return []
