"""A clock that only goes forward, for what has to happen every few seconds."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

_BEGAN: Final = datetime.now(UTC)
_MONOTONIC: Final = time.monotonic()


def steady_now() -> datetime:
    """Tell the time by which beat counts its intervals.

    By the wall's clock beat stands still for as long as that is put back: an hour, and for an hour nobody would look
    after what is lost, late or uncertain.
    """
    return _BEGAN + timedelta(seconds=time.monotonic() - _MONOTONIC)
