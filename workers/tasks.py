"""The tasks: thin shells round the steps of smsgate.flow."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from celery.exceptions import Reject

from smsgate.errors import RetryLater, StoreUnavailable
from smsgate.flow.clock import system_clock
from smsgate.flow.patience import ATTEMPTS
from smsgate.flow.write_rows import Upload, given
from smsgate.message import Common, Lane, MessageId
from smsgate.queues import TaskName
from workers import apart, parts
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


def send_batch(  # noqa: PLR0913 - the fields of a batch
    rows: Iterable[Mapping[str, Any]],
    *,
    template: str,
    sign: str | None = None,
    lane: str = Lane.BULK,
    valid_for: int | None = None,
    send_at: str | datetime | None = None,
    on_uncertain: str | None = None,
    callback_url: str | None = None,
    idempotency_key: str | None = None,
) -> Upload:
    """Have up to a million messages sent: `send_batch(({"to": number} for number in numbers), template="SMS_9")`.

    A row is a mapping with `to`, and perhaps `params` and `reference`; rows are read and accepted a few hundred at a
    time. What comes back has the batch's `id`, the numbers `accepted` and `rejected_count`, and in `rejected` the first
    1,000 rows that are no messages, each with its errors.

    Raises:
        InvalidMessage: One of the batch's own fields breaks a rule; nothing was accepted.
        IdempotencyConflict: The key was used with other fields.
        Degraded: The gateway is degraded and takes no batches; nothing was read. `.wait` says for how many seconds.
        LimitExceeded: A limit that counts requests is used up; nothing was read.
        UploadBroken: It did not come to its end; see `smsgate.flow.submit_batch`.
        StoreUnavailable: Redis is away or silent; nothing was accepted.
    """
    fields = {
        "template": template,
        "sign": sign,
        "lane": lane,
        "valid_for": valid_for,
        "send_at": send_at,
        "on_uncertain": on_uncertain,
        "callback_url": callback_url,
    }
    common = Common.check({name: value for name, value in fields.items() if value is not None})
    numbered = (given(index, row) for index, row in enumerate(rows))
    return parts.submit_batch()(common, numbered, idempotency_key=idempotency_key)


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


@app.task(name=TaskName.MARK, shared=False)
def mark(lane: str, at: int) -> None:
    """Note that a lane has been worked off up to a mark that was put into its queue at `at` (Unix milliseconds)."""
    try:
        apart.marks().passed(Lane(lane), at, system_clock())
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
