"""The Celery app. Producers and workers share it, so it imports nothing that sends."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celery import Celery, Task
from celery.loaders.app import AppLoader

from smsgate.broker.options import given_options
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


class GatewayTask(Task):  # type: ignore[type-arg]
    """What is true of each of our tasks."""

    Request = "workers.request:CountedRequest"


class Gateway(Celery):
    """Celery on our broker, whatever the environment's CELERY_BROKER_URL says.

    Celery gives that variable precedence over its settings, but a program may use it for a broker of its own. Setting
    `broker_read_url` and `broker_write_url` would do too, but Celery shows those with the password in them; as it
    would what an operator gives the transport besides.
    """

    amqp_cls = "workers.broker:AMQP"
    events_cls = "workers.events:Events"
    task_cls = "workers.app:GatewayTask"

    def connection_for_read(self, url: str | None = None, **kwargs: Any) -> Any:
        return super().connection_for_read(url or current().broker, **_with_options(kwargs))

    def connection_for_write(self, url: str | None = None, **kwargs: Any) -> Any:
        return super().connection_for_write(url or current().broker, **_with_options(kwargs))

    def connection(self, hostname: str | None = None, *args: Any, **kwargs: Any) -> Any:
        return super().connection(hostname or current().broker, *args, **kwargs)


def _with_options(given: Mapping[str, Any]) -> dict[str, Any]:
    ours = given_options(current().broker, current().broker_options)
    return {**given, "transport_options": {**ours, **(given.get("transport_options") or {})}}


# Not current, and its tasks not shared: a host program that imports `send_sms` keeps its own app as it was.
app = Gateway("smsgate", loader=Loader, log="workers.logs:Logging", set_as_current=False)
