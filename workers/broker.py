"""How our app reaches its broker. Producers import this, so it brings nothing of what workers need."""

from typing import Any, Final

import kombu
from celery.app import amqp
from kombu.transport import get_transport_cls

# Seconds between tries to reach the broker: 1, 2, 3, 3, … Kombu goes up to 30; one-time passwords do not wait so long.
_FIRST_PAUSE: Final = 1
_LONGEST_PAUSE: Final = 3


class Connection(kombu.Connection):
    """A connection that uses our transport where kombu would use its own for Redis.

    Chosen here and not by a URL or a setting, so that URLs stay redis:// and rediss:// and are shown, and masked, as
    everywhere in Celery.
    """

    def get_transport_cls(self) -> Any:
        chosen: Any = super().get_transport_cls()
        if chosen is not get_transport_cls("redis"):
            return chosen
        from workers.transport import Transport  # noqa: PLC0415 - a producer that never connects does without

        return Transport

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        pauses = {"interval_start": _FIRST_PAUSE, "interval_step": 1, "interval_max": _LONGEST_PAUSE}
        return super().ensure_connection(*args, **{**pauses, **kwargs})


class AMQP(amqp.AMQP):
    """Celery's factory of connections, with ours."""

    Connection = Connection
    BrokerConnection = Connection
