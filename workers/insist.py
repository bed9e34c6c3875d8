"""Do what must be done before anything else, however long Redis is away."""

import time
from collections.abc import Callable
from typing import Final

import structlog
from celery.worker.state import maybe_shutdown

from smsgate.errors import StoreUnavailable

log = structlog.get_logger()

# Seconds between two tries.
PAUSE: Final = 0.5


def insist(act: Callable[[], None], what: str) -> None:
    """Call `act` until Redis takes it. A worker does nothing else meanwhile: all it does needs Redis.

    Raises:
        WorkerShutdown: The worker is told to end, and `act` is not done.
    """
    while True:
        try:
            return act()
        except StoreUnavailable as error:
            log.warning("broker_refuses", error=str(error), to=what)
        maybe_shutdown()
        time.sleep(PAUSE)
