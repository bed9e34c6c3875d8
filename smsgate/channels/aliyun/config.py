"""Where and how the provider is reached."""

from dataclasses import dataclass
from typing import Literal

from smsgate.channels.way import AnswerLimit, ConnectTimeout, Endpoint, PoolSize, ReadTimeout, VariableName


@dataclass(frozen=True, slots=True)
class AliyunConfig:
    """One way to the provider; credentials are no part of it.

    The SDK finds them by its default chain or, where `key_id_env` and `key_secret_env` name variables, in these: so
    several accounts can be used side by side.

    The longest that one call takes is `connect_timeout_ms + read_timeout_ms` where the provider falls silent, and
    `connect_timeout_ms + answer_limit_ms` where it drips a byte at a time: the read timeout is for each read of the
    socket. A task's soft time limit, where its pool has one, must lie above both.
    """

    endpoint: Endpoint = "dysmsapi.aliyuncs.com"
    protocol: Literal["https", "http"] = "https"
    # TCP sends a lost SYN again after 1 s: 3 s outlive one loss. A failed connect is safe to retry, so it may be short.
    connect_timeout_ms: ConnectTimeout = 3_000
    # The provider answers in 100-500 ms and asks for no less than 1 s. A read timeout leaves a message uncertain, which
    # costs a query and a delay, so patience is cheaper here; 10 s is the SDK's own default.
    read_timeout_ms: ReadTimeout = 10_000
    # From the request to the end of its answer; what takes longer is cut off, and is as uncertain as a read timeout.
    answer_limit_ms: AnswerLimit = 25_000
    # Idle connections kept. Calls beyond it get a connection of their own that is then thrown away, 25 ms of CPU for
    # each TLS handshake: it must be no less than the threads that send in one process. Room that is not used costs
    # eight bytes.
    pool_size: PoolSize = 512
    key_id_env: VariableName | None = None
    key_secret_env: VariableName | None = None
