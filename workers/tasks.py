"""The tasks: thin shells round the steps of smsgate.flow."""

from collections.abc import Mapping
from datetime import datetime

from celery.exceptions import Reject

from smsgate.errors import RetryLater, StoreUnavailable
from smsgate.flow.patience import ATTEMPTS
from smsgate.message import Lane, MessageId
from smsgate.queues import TaskName
from workers import parts
from workers.app import app
from workers.task import SendTask


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
    send_at: str | datetime | None = None,
    on_uncertain: str | None = None,
    reference: str | None = None,
    callback_url: str | None = None,
) -> None:
    """Send one SMS: `send_sms.delay("13800138000", "SMS_154950909", {"code": "123456"}, lane="otp")`.

    The fields are those of `smsgate.message.Message`. The task id is the message id.
    """
    if self.request.called_directly:
        raise TypeError("send_sms sends from a worker; call send_sms.delay(…)")
    from workers.sending import attempt  # noqa: PLC0415 - producers do without

    more = {
        "sign": sign,
        "lane": lane,
        "valid_for": valid_for,
        "send_at": send_at,
        "on_uncertain": on_uncertain,
        "reference": reference,
        "callback_url": callback_url,
    }
    attempt(self, MessageId(str(self.request.id)), lane, lambda: self.message(to, template, params, **more))


@app.task(name=TaskName.SEND_CHUNK, shared=False)
def send_chunk(lane: str) -> None:
    """Send what has gathered in a lane, up to a hundred messages in one call."""
    try:
        parts.deliver_chunk()(Lane(lane))
    except StoreUnavailable as error:
        raise Reject(str(error), requeue=True) from error


@app.task(name=TaskName.RECEIVE, shared=False)
def receive(push_id: str) -> None:
    """Apply one stored push of a provider."""
    try:
        parts.receive()(push_id)
    except StoreUnavailable as error:
        raise Reject(str(error), requeue=True) from error


@app.task(name=TaskName.ASK, shared=False)
def ask(message_id: str) -> None:
    """Ask the provider what became of a message."""
    try:
        parts.ask()(MessageId(message_id))
    except StoreUnavailable as error:
        raise Reject(str(error), requeue=True) from error


@app.task(name=TaskName.NOTIFY, shared=False)
def notify(message_id: str, until: int) -> None:
    """Post the webhook of a message, which is leased to this task until `until` (Unix milliseconds)."""
    try:
        from smsgate.ledger.webhooks import Due  # noqa: PLC0415 - producers do without

        parts.notify()(Due(MessageId(message_id), until))
    except StoreUnavailable as error:
        raise Reject(str(error), requeue=True) from error
