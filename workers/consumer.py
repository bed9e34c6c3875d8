"""Celery's consumer, made to keep what it cannot carry out and to outlast what Redis refuses."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import structlog
from celery.exceptions import InvalidTaskError
from celery.worker import consumer
from celery.worker.state import active_requests
from kombu.exceptions import DecodeError

from smsgate.errors import StoreUnavailable
from smsgate.ledger.strays import StrayReason
from workers.aside import set_aside
from workers.debts import debts
from workers.entry import are_a_tasks
from workers.qos import QoS

log = structlog.get_logger()

# Its stub lacks most of what is needed here.
celery_consumer: Any = consumer

# Seconds before a worker connects again to a Redis that answered, but with a refusal.
PAUSE: Final = 1.0


class Consumer(celery_consumer.Consumer):  # type: ignore[misc]
    """A consumer that stores what is no task of ours as a stray before it acknowledges it.

    Celery logs such a message and drops it; its signals come after the acknowledgement.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        turn = self.loop
        self.loop: Callable[..., None] = partial(_collecting, turn)

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        handle: Callable[[Any], Any] = super().create_task_handler(*args, **kwargs)

        def on_task_received(message: Any) -> Any:
            try:
                if "task" in message.headers:
                    _demand_a_task(message)
                return handle(message)
            except InvalidTaskError as error:
                return self.on_invalid_task(None, message, error)
            except Exception as error:
                if self._is_brokers(error):
                    raise
                # Something is missing in its headers or its body that Celery takes for granted.
                log.warning("unreadable_task", error=type(error).__name__)
                return self._keep(message, StrayReason.INVALID_TASK, lambda: None)

        return on_task_received

    def on_unknown_message(self, body: Any, message: Any) -> None:
        tell = super().on_unknown_message
        self._keep(message, StrayReason.NO_TASK, lambda: tell(body, message))

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        tell = super().on_unknown_task
        self._keep(message, StrayReason.UNKNOWN_TASK, lambda: tell(body, message, exc))

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        tell = super().on_invalid_task
        # Celery's own text quotes what is wrong.
        told = InvalidTaskError(f"not what Celery expects ({type(exc).__name__})")
        self._keep(message, StrayReason.INVALID_TASK, lambda: tell(body, message, told))

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        tell = super().on_decode_error
        told = DecodeError(type(exc).__name__)
        self._keep(message, StrayReason.UNREADABLE_BODY, lambda: tell(message, told))

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Let go of a connection; what had not begun goes to whoever connects first."""
        qos = getattr(self.task_consumer.channel, "qos", None) if self.task_consumer else None
        if isinstance(qos, QoS):
            running = [request.message.delivery_tag for request in tuple(active_requests)]
            qos.leave(running)
        super().on_connection_error_after_connected(exc)
        if not isinstance(exc, self.connection_errors):
            log.warning("broker_refuses", error=type(exc).__name__)
            time.sleep(PAUSE)

    def _is_brokers(self, error: Exception) -> bool:
        """Tell an error of the broker; to Celery each KeyError is one."""
        errors = (StoreUnavailable, *self.connection_errors, *self.channel_errors)
        return isinstance(error, errors) and not isinstance(error, KeyError)

    def _keep(self, message: Any, reason: StrayReason, tell: Callable[[], Any]) -> None:
        """Store a stray, then let Celery tell of it and acknowledge it."""
        if message.acknowledged:
            return
        try:
            set_aside(message, reason)
        except StoreUnavailable:
            message.requeue()
            return
        try:
            tell()
        except Exception as error:  # noqa: BLE001 - it is stored; what Celery makes of it is of no consequence
            log.warning("stray_not_told", error=type(error).__name__)
        finally:
            if not message.acknowledged:
                message.reject()


def _collecting(loop: Callable[..., None], *args: Any) -> None:
    """Run Celery's loop, whose turns pay what the worker owes; outside of it all is paid at once."""
    with debts().collected():
        loop(*args)


def _demand_a_task(message: Any) -> None:
    """Look at a task before the pool does: there an error is a failed task, acknowledged and gone, or a dead worker.

    Raises:
        InvalidTaskError: A header is not of its kind, or the arguments are no list and object.
    """
    if not are_a_tasks(message.headers):
        raise InvalidTaskError("a header is not of its kind")
    try:
        body = message.payload
    except Exception:  # noqa: BLE001 - a body that cannot be read: Celery comes upon it next, and asks what to do
        return
    match body:
        case [list(), dict(), _] | {"args": list(), "kwargs": dict()}:
            pass
        case [_, _, _] | {"args": _, "kwargs": _}:
            raise InvalidTaskError("the arguments are no list and object")
