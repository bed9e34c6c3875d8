"""The tasks: thin shells round the steps of smsgate.flow."""

from collections.abc import Mapping
from typing import Any, Final

from celery.exceptions import Reject
from structlog.contextvars import bound_contextvars

from smsgate.errors import InvalidMessage, RetryLater, StoreUnavailable
from smsgate.flow.reject import reject
from smsgate.flow.submit import new_id
from smsgate.message import MessageId
from smsgate.queues import TaskName
from workers import parts
from workers.app import app
from workers.task import SendTask

# Five attempts, one second doubling.
ATTEMPTS: Final = 5


@app.task(
    bind=True,
    base=SendTask,
    name=TaskName.SEND,
    shared=False,
    autoretry_for=(RetryLater,),
    retry_backoff=1,
    retry_backoff_max=60,
    retry_jitter=True,
    max_retries=ATTEMPTS - 1,
    throws=(RetryLater,),
)
def send_sms(  # noqa: PLR0913 - the fields of a message
    self: SendTask,
    to: str,
    template: str,
    params: Mapping[str, str] | None = None,
    *,
    sign: str | None = None,
    lane: str | None = None,
    valid_for: int | None = None,
    on_uncertain: str | None = None,
    reference: str | None = None,
) -> None:
    """Send one SMS: `send_sms.delay("13800138000", "SMS_154950909", {"code": "123456"}, lane="otp")`.

    The fields are those of `smsgate.message.Message`. The task id is the message id.
    """
    if self.request.called_directly:
        raise TypeError("send_sms sends from a worker; call send_sms.delay(…)")
    message_id = MessageId(str(self.request.id))
    fields: dict[str, Any] = {"sign": sign, "lane": lane, "valid_for": valid_for}
    with bound_contextvars(message_id=message_id):
        try:
            new_id(message_id)
            message = self.message(to, template, params, **fields, on_uncertain=on_uncertain, reference=reference)
            parts.deliver()(message_id, message)
        except InvalidMessage as error:
            reject(parts.records(), message_id, error)
        except StoreUnavailable as error:
            raise Reject(str(error), requeue=True) from error
        except RetryLater as later:
            if later.wait is not None:
                raise self.retry(exc=later, countdown=later.wait) from None
            raise


@app.task(name=TaskName.RECEIVE, shared=False)
def receive(push_id: str) -> None:
    """Apply one stored push of a provider."""
    with bound_contextvars(push_id=push_id):
        try:
            parts.receive()(push_id)
        except StoreUnavailable as error:
            raise Reject(str(error), requeue=True) from error
