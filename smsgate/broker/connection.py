"""A connection to a broker, as workers and publishers share it."""

from typing import Any

import kombu
from kombu.transport import get_transport_cls


class Connection(kombu.Connection):
    """Kombu's, with our transports where kombu's own lose messages.

    Chosen here and not by a URL or a setting, so that URLs are shown, and masked, as everywhere in Celery.
    """

    def get_transport_cls(self) -> Any:
        chosen: Any = super().get_transport_cls()
        if chosen is not get_transport_cls("filesystem"):
            return chosen
        from smsgate.broker.files import Transport  # noqa: PLC0415 - for tests and a developer's machine

        return Transport
