"""The worker's half of `sms.send`. Producers import workers.tasks but never this: it brings logs and the road."""

from collections.abc import Callable
from typing import Any

from celery import Task
from celery.exceptions import Reject, SoftTimeLimitExceeded
from structlog.contextvars import bound_contextvars

from smsgate.errors import InvalidMessage, RetryLater, StoreUnavailable
from smsgate.flow.bury import bury
from smsgate.flow.patience import LONGEST_HOLD
from smsgate.flow.reject import reject
from smsgate.flow.submit import new_id
from smsgate.message import Lane, Message, MessageId
from smsgate.states import State
from workers import parts


def attempt(task: "Task[Any, None]", message_id: MessageId, lane: str | None, read: Callable[[], Message]) -> None:
    """Try once to send the message of a task; `read` makes one of its arguments, where there is no record of it.

    Raises:
        RetryLater: There are no attempts left.
        Retry: Another is to come.
        Reject: Redis went away; the task goes back to its queue.
    """
    with bound_contextvars(message_id=message_id):
        try:
            parts.deliver()(new_id(message_id), _lane(lane), read, redelivered=_is_redelivered(task))
        except InvalidMessage as error:
            reject(parts.records(), message_id, error)
        except StoreUnavailable as error:
            raise Reject(str(error), requeue=True) from error
        except RetryLater as later:
            # The record knows how many attempts there were, also where an earlier task was lost.
            task.request.update(retries=later.used - 1)
            # Named here: autoretry writes it into a dict that all threads share, and another message's may come out.
            pause = parts.patience().pause_after(later.used) / 1000 if later.wait is None else later.wait
            raise task.retry(exc=later, countdown=pause) from None


def _lane(named: object) -> Lane:
    """Read the lane that a task names; what is none is found to be wrong when its message is read."""
    return Lane(named) if isinstance(named, str) and named in set(Lane) else Lane.NOTICE


def _is_redelivered(task: "Task[Any, None]") -> bool:
    return bool((task.request.delivery_info or {}).get("redelivered"))


def wait(message_id: MessageId, seconds: float) -> bool:
    """Note until when a message waits for its next attempt; False when that is too long for a worker's memory."""
    record = parts.records().read(message_id)
    if record is None:
        return True
    until = parts.deliver().now() + int(seconds * 1000)
    if seconds > LONGEST_HOLD:
        parts.schedule().until(record, until)
        return False
    parts.schedule().in_queue(record, since=until, slot=None, not_before=until)
    return True


def _is_untried(message_id: MessageId) -> bool:
    record = parts.records().read(message_id)
    return record is not None and record.state is State.QUEUED


def failed(message_id: MessageId, error: BaseException) -> None:
    """Make a message that is out of attempts a dead letter.

    Raises:
        StoreUnavailable: Its task is gone, and the schedule brings the message back.
    """
    with bound_contextvars(message_id=message_id):
        if isinstance(error, SoftTimeLimitExceeded) and _is_untried(message_id):
            return  # Redis kept it waiting; the schedule brings it back
        bury(parts.records(), message_id, str(getattr(error, "reason", type(error).__name__)))
        record = parts.records().read(message_id)
        if record and record.state is State.DEAD:
            parts.brake().check(record.lane)
