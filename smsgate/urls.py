"""What the URLs of Redis and of the broker may be. What is wrong is told without the URL: it may hold a password."""

import re
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

# What a URL may add: how to check the server's certificate. Time limits and the rest are ours to set.
_TLS_OPTIONS: Final = frozenset({"ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname"})
_DATABASE: Final = re.compile(r"(/[0-9]*)?")
_REDIS: Final = ("redis", "rediss")
_REDIS_PORT: Final = 6379
# Kombu's transports that several processes can share; its `memory` is each process's own.
BROKERS: Final = (
    *("amqp", "amqps", "azureservicebus", "azurestoragequeues", "confluentkafka", "consul", "etcd", "filesystem"),
    *("gcpubsub", "mongodb", "pgmq", "pyamqp", "qpid", "redis", "rediss", "sentinel", "sqla", "sqs", "zookeeper"),
)


def checked_redis(url: str) -> str:
    """Check a URL of Redis.

    Raises:
        ValueError: It is none, or has options that are not its to set.
    """
    if not _is_redis(url):
        raise ValueError(
            "must be redis://[:PASSWORD@]HOST:PORT/DB or rediss://…, such as redis://127.0.0.1:6379/0, "
            f"with no options but {', '.join(sorted(_TLS_OPTIONS))}; "
            "write / @ and : in a password as %2F %40 %3A"
        )
    return url


def checked_broker(url: str) -> str:
    """Check a URL of a broker; with sentinels or brokers that stand in for each other, several between semicolons.

    Raises:
        ValueError: Kombu has no transport for it that processes can share, or it is a wrong URL of Redis.
    """
    if not all(map(_is_broker, url.split(";"))):
        raise ValueError(
            "must be KIND://[USER:PASSWORD@]HOST[:PORT]/…, such as amqp://USER:PASSWORD@HOST:5672/VHOST, where KIND is "
            f"one of {', '.join(BROKERS)}; write / @ and : in a password as %2F %40 %3A"
        )
    return checked_redis(url) if is_redis(url) else url


def is_same_redis(one: str, other: str) -> bool:
    """Say whether two URLs name one database of one Redis, as far as can be seen from them."""
    first, second = _split(one), _split(other)
    return first is not None and second is not None and _place(first) == _place(second)


def is_redis(url: str) -> bool:
    """Say whether a URL names a Redis, directly and not by sentinels."""
    return url.partition("://")[0] in _REDIS


def _is_broker(url: str) -> bool:
    parts = _split(url)
    is_known = parts is not None and parts.scheme.partition("+")[0] in BROKERS
    return is_known and "://" in url and not re.search(r"\s", url)


def _is_redis(url: str) -> bool:
    parts = _split(url)
    if parts is None or parts.scheme not in _REDIS or url != url.strip():
        return False
    is_complete = bool(parts.hostname) and parts.port != 0 and _DATABASE.fullmatch(parts.path) is not None
    return is_complete and set(parse_qs(parts.query)) <= _TLS_OPTIONS


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # its text would show a part of the password
        return None
    return parts


def _place(parts: SplitResult) -> tuple[str, str, int, str]:
    if parts.scheme not in _REDIS:
        return parts.scheme, parts.netloc, 0, parts.path
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    return "redis", host, parts.port or _REDIS_PORT, parts.path.strip("/") or "0"
