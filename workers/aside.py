"""Keep for an operator what came from a broker and is no task of ours, as it came or as near to that as can be."""

import base64
import json
import time
from typing import Any

import structlog
from uuid_utils import uuid7

from smsgate.ledger.strays import Stray, StrayReason
from workers import parts
from workers.entry import Entry, task_id

log = structlog.get_logger()


def set_aside(message: Any, reason: StrayReason) -> None:
    """Keep a message.

    Raises:
        StoreUnavailable: It is not kept.
    """
    raw, named = getattr(message, "_raw", None), task_id(message.headers)
    if isinstance(raw, Entry):
        message.channel.set_aside(raw.text, raw.queue, reason, named)
        return
    queue = str((message.delivery_info or {}).get("routing_key", ""))
    stray = Stray(str(uuid7()), queue, reason, named, int(time.time() * 1000), _entry(message))
    parts.strays().store(stray)
    log.warning("stray", stray_id=stray.id, queue=queue, reason=reason, task_id=named)


def _entry(message: Any) -> str:
    """Write a message as an entry of our outbox, from which it can be requeued."""
    body = message.body if isinstance(message.body, bytes) else str(message.body).encode("utf-8", "surrogateescape")
    properties = {name: value for name, value in (message.properties or {}).items() if _is_plain(value)}
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-type": message.content_type,
            "content-encoding": message.content_encoding,
            "headers": message.headers or {},
            "properties": {**properties, "body_encoding": "base64"},
        },
        default=str,
    )


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
