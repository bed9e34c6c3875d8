"""A task as the worker holds it, for logs, events and `celery inspect`: with its arguments masked.

Programs that send by name do not mask what their Celery shows of the arguments, so the worker does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from celery.worker.request import Request

from smsgate.masking import shown_arguments


class MaskedRequest(Request):
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
