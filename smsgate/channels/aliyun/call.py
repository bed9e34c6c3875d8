"""One call of the SDK: its answer, or what its failure means for us.

Nothing that the SDK raises leaves this file, since its exceptions hold number, code and key.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from alibabacloud_dysmsapi20170525.client import Client
from darabonba.runtime import RuntimeOptions

from smsgate.channels.aliyun import failures
from smsgate.channels.aliyun.config import AliyunConfig
from smsgate.channels.aliyun.sdk import client_for, runtime_for
from smsgate.channels.failure import Failure
from smsgate.outcome import Fault, Unsent

log = structlog.get_logger(__name__)

# A method of the client that is given its request: `lambda client, options: client.send_sms_with_options(…, options)`.
Action = Callable[[Client, RuntimeOptions], Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back with HTTP 200; any JSON may, so `body` may be of any shape. It is kept out of `repr`."""

    body: Any = field(repr=False)


def call(config: AliyunConfig, action: Action) -> Answer | Failure:
    """Call once; every `Exception` becomes what it means for a message, as if one were sent."""
    try:
        client = client_for(config)
    except Exception as error:  # noqa: BLE001 - whatever it was, nothing has been sent
        log.error("aliyun_client_unavailable", error=type(error).__name__)  # noqa: TRY400 - the type only, no traceback
        return Unsent("client_unavailable", Fault.CREDENTIALS)
    answer = _tried(client, action, runtime_for(config))
    return failures.outcome_of(answer) if isinstance(answer, Exception) else answer


def _tried(client: Client, action: Action, options: RuntimeOptions) -> Answer | Exception:
    """Call, and return what is raised: read inside `except`, it would be the context of any slip in the reading."""
    try:
        return Answer(action(client, options).body)
    except Exception as error:  # noqa: BLE001 - one that escaped would carry the URL with it
        return error.with_traceback(None)
