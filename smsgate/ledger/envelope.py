"""A Celery message in the bytes that kombu's Redis transport would have written.

Written by hand so that it can go into the same Redis transaction as the record: `apply_async` cannot,
and is many times as slow. A test compares it with what a real `apply_async` of the installed Celery puts there.

Messages of one task and queue differ in six places only, so the rest is written once.
"""

import base64
import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final
from uuid import uuid4

from uuid_utils import uuid4 as quick_uuid4

from smsgate.queues import Queue, TaskName

_EMBEDDED: Final[dict[str, None]] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
# What differs from message to message.
_PLACES: Final = ("body", "id", "args", "kwargs", "tag")

# What goes with a message by whatever way; the rest whoever publishes it says of it.
_KEPT: Final = frozenset(
    {"correlation_id", "reply_to", "argsrepr", "kwargsrepr", "message_id", "timestamp", "type", "app_id"}
)


def seal(  # noqa: PLR0913 - the fields of a Celery message
    task: TaskName,
    task_id: str,
    queue: Queue,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    shown_args: str = "()",
    shown_kwargs: str = "{}",
) -> str:
    """Build the list entry that asks a worker on `queue` to run `task`.

    `shown_args` and `shown_kwargs` are what logs and Flower show in place of the arguments.
    """
    body = base64.b64encode(json.dumps([args, kwargs, _EMBEDDED]).encode()).decode()
    return _mould(os.getpid(), task, queue) % {
        "body": f'"{body}"',
        "id": quoted(task_id),
        "args": quoted(shown_args),
        "kwargs": quoted(shown_kwargs),
        "tag": f'"{quick_uuid4()}"',
    }


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A Celery message taken apart, to be written again by a publisher."""

    body: bytes = field(repr=False)
    content_type: str
    content_encoding: str
    headers: Mapping[str, Any] = field(repr=False)
    properties: Mapping[str, Any] = field(repr=False)


def unseal(entry: str) -> Unsealed:
    """Take a list entry apart, and leave out what its publisher writes anew.

    Raises:
        ValueError: It is no Celery message.
    """
    try:
        match json.loads(entry):
            case {"body": str(body), "headers": dict(headers), "properties": dict(properties), **more}:
                is_coded = properties.get("body_encoding") == "base64"
                return Unsealed(
                    base64.b64decode(body, validate=True) if is_coded else body.encode(),
                    str(more.get("content-type")),
                    str(more.get("content-encoding")),
                    headers,
                    {name: value for name, value in properties.items() if name in _KEPT},
                )
    except (ValueError, RecursionError):
        pass
    raise ValueError("is no Celery message")


@cache
def _mould(pid: int, task: TaskName, queue: Queue) -> str:
    """Write a message with places for what differs; keyed by pid, so that a forked child gets its own name."""
    message = {
        "body": "%(body)s",
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": _headers(pid, task),
        "properties": _properties(queue),
    }
    mould = json.dumps(message)
    for place in _PLACES:
        mould = mould.replace(f'"%({place})s"', f"%({place})s")
    return mould


def _headers(pid: int, task: TaskName) -> dict[str, Any]:
    return {
        "lang": "py",
        "task": task,
        "id": "%(id)s",
        "shadow": None,
        "eta": None,
        "expires": None,
        "group": None,
        "group_index": None,
        "retries": 0,
        "timelimit": [None, None],
        "root_id": "%(id)s",
        "parent_id": None,
        "argsrepr": "%(args)s",
        "kwargsrepr": "%(kwargs)s",
        # As Celery names a process; a host's name has letters, digits, dots and hyphens.
        "origin": f"gen{pid}@{socket.gethostname()}".replace("%", "%%"),
        "ignore_result": True,
        "replaced_task_nesting": 0,
        "stamped_headers": None,
        "stamps": {},
    }


def _properties(queue: Queue) -> dict[str, Any]:
    return {
        "correlation_id": "%(id)s",
        # Celery names the producing thread here; without a result backend nothing reads it.
        "reply_to": str(uuid4()),
        "argsrepr": "%(args)s",
        "kwargsrepr": "%(kwargs)s",
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": "%(tag)s",
    }
