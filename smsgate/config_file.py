"""The configuration as it stands in its file now, which may change while a process runs."""

import threading
import time
from pathlib import Path
from typing import Final

import structlog

from smsgate import config
from smsgate.config import Config
from smsgate.errors import SettingsError
from smsgate.settings import Settings

log = structlog.get_logger()

# Seconds between two looks at the file, each of which costs 2 µs.
EVERY: Final = 1.0

Stamp = tuple[int, int, int]


class ConfigFile:
    """The file that a process was started with; without one what the settings say, which does not change."""

    def __init__(self, settings: Settings, *, every: float = EVERY) -> None:
        """Read it; from then on look at it `every` seconds.

        Raises:
            SettingsError: It cannot be read, or declares what cannot be.
        """
        self._settings: Final = settings
        self._every: Final = every
        self._stamp = _stamp(settings.config)
        self.current = self._read()
        self._looked = time.monotonic()
        self._looking: Final = threading.Lock()

    def changed(self) -> Config | None:
        """Give what the file declares when it has changed, once; one that is wrong is told of in the log, and left.

        Looks no more often than it was told, whichever thread asks.
        """
        if self._settings.config is None or time.monotonic() - self._looked < self._every:
            return None
        if not self._looking.acquire(blocking=False):
            return None
        try:
            self._looked = time.monotonic()
            return self._look()
        finally:
            self._looking.release()

    def _look(self) -> Config | None:
        stamp = _stamp(self._settings.config)
        if stamp in (self._stamp, None):
            # Gone for a moment, while an editor writes it anew.
            return None
        self._stamp = stamp
        try:
            self.current = self._read()
        except SettingsError as error:
            log.error("config_refused", problems=str(error).splitlines(), fix="smsgate channels check")  # noqa: TRY400 - it says all
            return None
        log.warning("config_reloaded", channels=[profile.name for profile in self.current.channels])
        return self.current

    def _read(self) -> Config:
        path = self._settings.config
        return config.completed(config.read(path), self._settings) if path else config.of_settings(self._settings)


def _stamp(path: Path | None) -> Stamp | None:
    try:
        known = path.stat() if path else None
    except OSError:
        return None
    return known and (known.st_mtime_ns, known.st_size, known.st_ino)
