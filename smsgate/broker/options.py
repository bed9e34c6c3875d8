"""What kombu's transport to each kind of broker is given, by workers and by whoever publishes."""

import ssl
from collections.abc import Mapping
from typing import Any, Final

_REDIS: Final[dict[str, Any]] = {
    # Seconds after which an unacknowledged task goes to another worker: above the hard time limit and the longest
    # retry wait (120), with room. Every program on this Redis must use the same: Celery takes the shortest.
    "visibility_timeout": 300,
    # Look for such tasks every 5 s; kombu's defaults make it 100 s.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # Without these a Redis that swallows packets hangs a worker for ever.
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
# What is published counts as published when the broker says that it has it.
_AMQP: Final[dict[str, Any]] = {"confirm_publish": True}
_KINDS: Final[Mapping[str, dict[str, Any]]] = {
    **dict.fromkeys(("redis", "rediss", "sentinel"), _REDIS),
    **dict.fromkeys(("amqp", "amqps", "pyamqp"), _AMQP),
}


def transport_options(url: str) -> dict[str, Any]:
    """Give what we know of a kind of broker; another kind gets nothing."""
    return dict(_KINDS.get(_kind(url), {}))


def tls(url: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Have the certificate of an `amqps` broker checked, which kombu by itself does not.

    `given` is what an operator gives the transport besides; its `ssl` says with what authority, or certificate.
    """
    if _kind(url) != "amqps":
        return None
    return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None, **given.get("ssl", {})}


def given_options(url: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Leave to the transport what an operator gives it besides, except what goes another way (see `tls`)."""
    return {name: value for name, value in given.items() if name != "ssl" or _kind(url) != "amqps"}


def _kind(url: str) -> str:
    return url.partition("://")[0]
