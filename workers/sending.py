"""The worker's half of `sms.send`. Producers import workers.tasks but never this: it brings logs and the road."""

from collections.abc import Callable
from typing import Any

from celery import Task
from celery.exceptions import Reject
from structlog.contextvars import bound_contextvars

from smsgate.errors import InvalidMessage, RetryLater, StoreUnavailable
from smsgate.flow.bury import bury
from smsgate.flow.reject import reject
from smsgate.flow.submit import new_id
from smsgate.message import Message, MessageId
from workers import parts


def attempt(task: "Task[Any, None]", message_id: MessageId, read: Callable[[], Message]) -> None:
    """Try once to send the message that `read` makes of the task's arguments.

    Raises:
        RetryLater: For Celery's autoretry.
        Retry: The provider named the time to wait.
        Reject: Redis went away; the task goes back to its queue.
    """
    with bound_contextvars(message_id=message_id):
        try:
            parts.deliver()(new_id(message_id), read())
        except InvalidMessage as error:
            reject(parts.records(), message_id, error)
        except StoreUnavailable as error:
            raise Reject(str(error), requeue=True) from error
        except RetryLater as later:
            if later.wait is not None:
                raise task.retry(exc=later, countdown=later.wait) from None
            raise


def failed(message_id: MessageId, error: BaseException) -> None:
    """Make a message that is out of attempts a dead letter."""
    with bound_contextvars(message_id=message_id):
        bury(parts.records(), message_id, str(getattr(error, "reason", type(error).__name__)))
