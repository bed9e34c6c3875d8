"""The task class of `sms.send`: what `.delay()` does at the caller, and what a failure does in the worker."""

import inspect
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from celery.result import AsyncResult
from kombu.exceptions import SerializationError

from smsgate.errors import StoreUnavailable
from smsgate.flow.submit import arguments, new_id
from smsgate.masking import shown_arguments
from smsgate.message import Message, MessageId
from smsgate.queues import LANE_QUEUES
from workers import apart, parts
from workers.app import GatewayTask

# Options of `apply_async` that cannot be kept: each with what to use in its place.
_REFUSED: Final = {
    "countdown": "use send_at",
    "eta": "use send_at",
    "expires": "use valid_for, in seconds",
    "queue": "use lane",
    "routing_key": "use lane",
    "exchange": "use lane",
    "priority": "use lane",
    "serializer": "messages are JSON",
}
# Options that change how Celery publishes, not what runs. With any other (a group, a chain, a callback, a time limit)
# the task goes out by Celery's own publisher, after its record.
_MEANINGLESS: Final = frozenset(
    {"retry", "retry_policy", "ignore_result", "producer", "publisher", "connection", "add_to_parent", "compression"}
)


class SendTask(GatewayTask):
    """A task whose call passes through the same first step as an HTTP request."""

    Request = "workers.request:MaskedRequest"

    def apply_async(  # type: ignore[override]  # the stubs spell out each option, and miss some
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        task_id: str | None = None,
        **options: Any,
    ) -> "AsyncResult[Any]":
        """Accept a message; when this returns, record and task are in Redis. The task id is the message id.

        Raises:
            TypeError: Arguments that `send_sms` does not take.
            InvalidMessage: It names each field that breaks a rule (a ValueError).
            ValueError: An option that cannot be kept, such as `countdown`.
            IdempotencyConflict: The `task_id` was used with another message.
            Degraded: The gateway is degraded and takes no messages of this lane; `.wait` says for how many seconds.
            LimitExceeded: A limit at the door is used up; `.wait` says for how many seconds.
            StoreUnavailable: Redis is away or silent; call again with the same `task_id`, or it may be sent twice.
        """
        if options.get("retries"):
            # A retry: the message is in the ledger already.
            return self._publish_again(args or (), kwargs or {}, new_id(task_id), options)
        message = self.message(*(args or ()), **(kwargs or {}))
        _refuse(options)
        asked = {name: value for name, value in options.items() if value is not None}
        if asked.keys() - _MEANINGLESS:
            return self._publish(message, new_id(task_id), asked)
        submitted = parts.submit()(message, message_id=task_id)
        apart.hand_on_at_once()
        return self.AsyncResult(submitted.id)

    def message(self, *args: Any, **kwargs: Any) -> Message:
        """Read a call's arguments as a message.

        Raises:
            TypeError: The call does not fit `send_sms`.
            InvalidMessage: A field breaks a rule.
        """
        given = self._signature.bind(*args, **kwargs).arguments
        return Message.check({name: value for name, value in given.items() if value is not None})

    @cached_property
    def _signature(self) -> inspect.Signature:
        """Read it once: that takes a quarter of a call's time."""
        return inspect.signature(self.run)

    def on_failure(self, exc: BaseException, task_id: str, *_failure: Any) -> None:
        """Make a message that is out of attempts a dead letter; Celery's failure handler."""
        from workers.sending import failed  # noqa: PLC0415 - producers do without

        failed(MessageId(task_id), exc)

    def _publish(self, message: Message, message_id: MessageId, options: Mapping[str, Any]) -> "AsyncResult[Any]":
        accept = parts.submit()
        if not accept.reserve(message, message_id):
            return self.AsyncResult(message_id)
        args, kwargs = arguments(message)
        try:
            return self._publish_shown(args, kwargs, message_id, {**options, "queue": LANE_QUEUES[message.lane]})
        except Exception as error:
            # Whatever it was: its caller takes the message for one that was not accepted, and may send it anew.
            accept.take_back(message, message_id)
            if isinstance(error, TypeError | ValueError | SerializationError):
                raise
            raise StoreUnavailable(f"the broker refused the task: {type(error).__name__}") from error

    def _publish_again(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], message_id: MessageId, options: Mapping[str, Any]
    ) -> "AsyncResult[Any]":
        """Publish the next attempt; the ledger knows its time first, so that the sweep finds it if this is refused."""
        from workers.sending import wait  # noqa: PLC0415 - producers do without

        if not wait(message_id, float(options.get("countdown") or 0)):
            return self.AsyncResult(message_id)
        return self._publish_shown(args, kwargs, message_id, options)

    def _publish_shown(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], task_id: str, options: Mapping[str, Any]
    ) -> "AsyncResult[Any]":
        """Publish by Celery, which by itself would show the arguments unmasked in the message's headers."""
        shown_args, shown_kwargs = shown_arguments(args, kwargs)
        shown: dict[str, Any] = {"argsrepr": shown_args, "kwargsrepr": shown_kwargs}
        return super().apply_async(tuple(args), dict(kwargs), task_id, **shown, **options)


def _refuse(options: Mapping[str, Any]) -> None:
    for name, instead in _REFUSED.items():
        if options.get(name) is not None:
            raise ValueError(f"{name}: is not an option of send_sms; {instead}")
