"""A task as the worker holds it.

For logs, events and `celery inspect` a message's arguments are masked: programs that send by name do not mask what
their Celery shows, so the worker does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from billiard.exceptions import WorkerLostError
from celery.worker import request
from celery.worker.state import task_ready

from smsgate.masking import shown_arguments

# Its stub lacks most of what is needed here.
celery_request: Any = request


class CountedRequest(celery_request.Request):  # type: ignore[misc]
    """A request that comes again when its process has died, but not for ever."""

    def on_failure(self, exc_info: Any, *args: Any, **kwargs: Any) -> Any:
        # The pool wraps what was raised.
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(error, WorkerLostError) and self._is_kept_as_poison():
            task_ready(self)
            self.acknowledge()
            return None
        return super().on_failure(exc_info, *args, **kwargs)

    def _is_kept_as_poison(self) -> bool:
        from workers import poison  # noqa: PLC0415 - only a worker that lost a process needs it

        return poison.is_poison(self.id) and poison.keep(self)


class MaskedRequest(CountedRequest):
    """A request that never shows a number or a parameter."""

    _args: Sequence[Any]
    _kwargs: Mapping[str, Any]
    _request_dict: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._argsrepr, self._kwargsrepr = shown_arguments(self._args, self._kwargs)
        # What the pool's child gets, and logs.
        self._request_dict.update(argsrepr=self._argsrepr, kwargsrepr=self._kwargsrepr)

    def info(self, safe: bool = False) -> Any:  # noqa: ARG002 - Celery's signature; it is always safe here
        """Describe the task for `celery inspect`."""
        return super().info(safe=True)
