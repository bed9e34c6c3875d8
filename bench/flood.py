"""A campaign beside which codes are measured: while it is uploaded, and while it drains."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench import drain
from bench.system import until
from smsgate.sandbox.process import SandboxProcess


@dataclass(slots=True)
class Flood:
    """A campaign of so many rows; how many other messages were sent meanwhile is for the block to say (`besides`)."""

    rows: int
    uploaded: threading.Event = field(default_factory=threading.Event)
    besides: int = 0
    rate: float = 0.0


@contextmanager
def uploading(base: str, key: str, provider: SandboxProcess, rows: int) -> Iterator[Flood]:
    """Upload a campaign beside the block, which goes on until `uploaded`; ends when all of it has been sent."""
    known = Flood(rows)
    failures: list[Exception] = []
    count = drain.accepted(provider)
    start = count()

    def upload() -> None:
        try:
            drain.upload(base, key, rows)
        except Exception as error:  # noqa: BLE001 - told to the thread that waits
            failures.append(error)
        finally:
            known.uploaded.set()

    thread = threading.Thread(target=upload)
    thread.start()
    try:
        yield known
    finally:
        thread.join()
    if failures:
        raise failures[0]
    until(lambda: count() - start >= rows + known.besides, "the campaign has been sent", 600, 0.5)


@contextmanager
def draining(base: str, key: str, provider: SandboxProcess, bulk: int, rows: int) -> Iterator[Flood]:
    """Upload a campaign, then let the worker `bulk` drain it beside the block; ends when all of it has been sent.

    Raises:
        RuntimeError: It had drained before the block was over.
    """
    known = Flood(rows)
    count = drain.accepted(provider)
    start = count()
    with drain.standing(bulk):
        drain.upload(base, key, rows)
    known.uploaded.set()
    until(lambda: count() > start, "the campaign begins to drain", 60)
    first, began = count(), time.monotonic()
    yield known
    drained = count() - start - known.besides
    known.rate = (drained - (first - start)) / (time.monotonic() - began)
    if drained >= rows:
        raise RuntimeError(f"{rows:,} rows had drained before the measurement was over: give it more")
    until(lambda: count() - start >= rows + known.besides, "the campaign has been sent", 600, 0.5)
