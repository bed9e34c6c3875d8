"""The provider's clock: every date it shows is Asia/Shanghai, written without a zone."""

from datetime import datetime, timedelta, timezone
from typing import Final

# China has kept UTC+8 without daylight saving since 1991, so a fixed offset needs no time zone database.
SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")


def stamp(moment: float) -> str:
    """Write a Unix time in seconds as `yyyy-MM-dd HH:mm:ss`."""
    return datetime.fromtimestamp(moment, SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def day(moment: float) -> str:
    """Write a Unix time in seconds as the day `yyyyMMdd`."""
    return datetime.fromtimestamp(moment, SHANGHAI).strftime("%Y%m%d")
