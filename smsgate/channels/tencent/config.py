"""Where and how the provider is reached, and as whom."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class TencentConfig:
    """One application of one account; the key is no part of it, only the names of the variables that hold it.

    The longest that one call takes is told as for Aliyun: the connect timeout and, from the request to the end of its
    answer, `answer_limit_ms`.
    """

    app_id: str  # SmsSdkAppId, such as 1400006666
    # The SMS service answers under it for the whole mainland; Singapore's accounts have another endpoint too.
    region: str = "ap-guangzhou"
    endpoint: str = "sms.tencentcloudapi.com"
    protocol: Literal["https", "http"] = "https"
    # The names that the SDK's own default chain looks under; others let several accounts be used side by side.
    key_id_env: str = "TENCENTCLOUD_SECRET_ID"
    key_secret_env: str = "TENCENTCLOUD_SECRET_KEY"  # noqa: S105 - the name of a variable
    # As for Aliyun, whose config says why: a failed connect may be short, an answer is worth waiting for.
    connect_timeout_ms: int = 3_000
    read_timeout_ms: int = 10_000
    answer_limit_ms: int = 25_000
    # Idle connections kept: no less than the threads that send in one process.
    pool_size: int = 512
