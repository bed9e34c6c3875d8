"""The worker's half of `sms.send`. Producers import workers.tasks but never this: it brings logs and the road."""

from typing import Any

from celery.exceptions import Reject
from structlog.contextvars import bound_contextvars

from smsgate.errors import InvalidMessage, RetryLater, StoreUnavailable
from smsgate.flow.bury import bury
from smsgate.flow.reject import reject
from smsgate.flow.submit import new_id
from smsgate.message import MessageId
from workers import parts
from workers.task import SendTask


def attempt(task: SendTask, message_id: MessageId, *args: Any, **kwargs: Any) -> None:
    """Try once to send the message that these arguments are.

    Raises:
        RetryLater: For Celery's autoretry.
        Retry: The provider named the time to wait.
        Reject: Redis went away; the task goes back to its queue.
    """
    with bound_contextvars(message_id=message_id):
        try:
            parts.deliver()(new_id(message_id), task.message(*args, **kwargs))
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
