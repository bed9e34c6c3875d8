"""The Celery app. Producers and workers share it, so it imports nothing that sends."""

import runpy
from pathlib import Path
from typing import Any

from celery import Celery
from celery.loaders.app import AppLoader
from celery.signals import setup_logging

from smsgate.settings import current


def _settings_file() -> Path:
    """Find our celeryconfig.py by place, not by name: the program that imports us may have one of its own."""
    installed = Path(__file__).with_name("celeryconfig.py")
    return installed if installed.exists() else Path(__file__).parent.with_name("celeryconfig.py")


class Loader(AppLoader):
    """Read celeryconfig.py when the settings are first asked for."""

    def read_configuration(self, env: str = "") -> dict[str, Any]:  # noqa: ARG002 - Celery's signature
        known = runpy.run_path(str(_settings_file()))
        return {name: value for name, value in known.items() if name.islower() and not name.startswith("_")}


# Not current, and its tasks not shared: a host program that imports `send_sms` keeps its own app as it was.
app = Celery("smsgate", loader=Loader, set_as_current=False)


@setup_logging.connect
def _log(loglevel: int | None = None, **_signal: Any) -> None:
    from smsgate import telemetry  # noqa: PLC0415 - producers do without

    settings = current()
    telemetry.configure(loglevel or settings.log_level, form=settings.log_format)
