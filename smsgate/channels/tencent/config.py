"""Where and how the provider is reached, and as whom."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from smsgate.channels.way import AnswerLimit, ConnectTimeout, Endpoint, PoolSize, ReadTimeout, VariableName


def _written(app_id: object) -> object:
    """Take a number for its digits, as a file of settings may well have it."""
    return str(app_id) if type(app_id) is int else app_id


AppId = Annotated[str, BeforeValidator(_written), Field(pattern=r"^[0-9]{1,20}$")]
Region = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]


@dataclass(frozen=True, slots=True)
class TencentConfig:
    """One application of one account; the key is no part of it, only the names of the variables that hold it.

    The longest that one call takes is told as for Aliyun: the connect timeout and, from the request to the end of its
    answer, `answer_limit_ms`.
    """

    app_id: AppId  # SmsSdkAppId, such as 1400006666
    # The SMS service answers under it for the whole mainland; Singapore's accounts have another endpoint too.
    region: Region = "ap-guangzhou"
    endpoint: Endpoint = "sms.tencentcloudapi.com"
    protocol: Literal["https", "http"] = "https"
    # The names that the SDK's own default chain looks under; others let several accounts be used side by side.
    key_id_env: VariableName = "TENCENTCLOUD_SECRET_ID"
    key_secret_env: VariableName = "TENCENTCLOUD_SECRET_KEY"  # noqa: S105 - the name of a variable
    # As for Aliyun, whose config says why: a failed connect may be short, an answer is worth waiting for.
    connect_timeout_ms: ConnectTimeout = 3_000
    read_timeout_ms: ReadTimeout = 10_000
    answer_limit_ms: AnswerLimit = 25_000
    # Idle connections kept: no less than the threads that send in one process.
    pool_size: PoolSize = 512
