"""How our app reaches its broker. Producers import this, so it brings nothing of what workers need."""

import sys
import threading
from collections.abc import Callable
from typing import Any, Final

import kombu.connection
from celery.app import amqp
from kombu.transport import get_transport_cls

from smsgate.broker import connection

# Its stub lacks most of what is needed here.
kombu_connection: Any = kombu.connection

# Seconds between tries to reach the broker: 1, 2, 3, 3, … Kombu goes up to 30; one-time passwords do not wait so long.
_FIRST_PAUSE: Final = 1
_LONGEST_PAUSE: Final = 3


class Connection(connection.Connection):
    """A connection that uses our transport where kombu would use its own for Redis."""

    def get_transport_cls(self) -> Any:
        chosen: Any = super().get_transport_cls()
        if chosen is not get_transport_cls("redis"):
            return chosen
        from workers.transport import Transport  # noqa: PLC0415 - a producer that never connects does without

        return Transport

    def _ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Connect, for as long as it takes or until the worker is told to end.

        Kombu's publisher comes here too, with neither a limit nor a way out: an event that could not be published kept
        a worker from ending for as long as Redis was silent.
        """
        ours = {"interval_start": _FIRST_PAUSE, "interval_step": 1, "interval_max": _LONGEST_PAUSE}
        return super()._ensure_connection(*args, **{**ours, "callback": _way_out(), **kwargs})

    def Pool(self, limit: int | None = None, **kwargs: Any) -> "Pool":  # noqa: N802 - kombu's name
        return Pool(self, limit, **kwargs)


class PooledConnection(kombu_connection.PooledConnection, Connection):  # type: ignore[misc]
    """One of a pool, of which kombu makes one of its own class: chores and retries go by these.

    Answers to `celery inspect` come by them too, which nobody acknowledges: a channel that notes what it takes would
    hold them for ever.
    """

    def get_transport_cls(self) -> Any:
        chosen: Any = connection.Connection.get_transport_cls(self)
        if chosen is not get_transport_cls("redis"):
            return chosen
        from workers.full import Transport  # noqa: PLC0415 - a producer that never connects does without

        return Transport


class Pool(kombu_connection.ConnectionPool):  # type: ignore[misc]
    """Kombu's, of our connections."""

    def new(self) -> PooledConnection:
        return PooledConnection(self, **dict(self.connection._info(resolve=False)))  # noqa: SLF001 - as kombu's does


def _way_out() -> Callable[[], None] | None:
    """Give what ends a worker's main thread once it is told to; a producer has no such thing, and loads nothing."""
    state = sys.modules.get("celery.worker.state")
    is_main = threading.current_thread() is threading.main_thread()
    return state.maybe_shutdown if state is not None and is_main else None


class AMQP(amqp.AMQP):
    """Celery's factory of connections, with ours."""

    Connection = Connection
    BrokerConnection = Connection
