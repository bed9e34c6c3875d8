"""Where and how the provider is reached."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class AliyunConfig:
    """One way to the provider; credentials are no part of it, the SDK finds them by its default chain.

    The longest that one call takes is `connect_timeout_ms + read_timeout_ms` where the provider falls silent, so a
    task's soft time limit must lie above their sum. A provider that drips a byte at a time holds a call for longer:
    the read timeout is for each read of the socket.
    """

    endpoint: str = "dysmsapi.aliyuncs.com"
    protocol: Literal["https", "http"] = "https"
    # TCP sends a lost SYN again after 1 s: 3 s outlive one loss. A failed connect is safe to retry, so it may be short.
    connect_timeout_ms: int = 3_000
    # The provider answers in 100-500 ms and asks for no less than 1 s. A read timeout leaves a message uncertain, which
    # costs a query and a delay, so patience is cheaper here; 10 s is the SDK's own default.
    read_timeout_ms: int = 10_000
    # Idle connections kept. Calls beyond it get a connection of their own that is then thrown away, 25 ms of CPU for
    # each TLS handshake: give it the number of threads or greenlets that send in one process.
    pool_size: int = 32
