"""One call of the SDK: its answer, or what its failure means for us.

Nothing that the SDK raises leaves this file, since its exceptions hold number, code and key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from smsgate.channels.failure import Failure
from smsgate.channels.tencent import codes, failures
from smsgate.channels.tencent.config import TencentConfig
from smsgate.channels.tencent.sdk import client_for
from smsgate.outcome import Fault, Uncertain, Unsent

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back under `Response`, without an error in it; kept out of `repr`."""

    body: Mapping[str, Any] = field(repr=False)


def call(config: TencentConfig, action: str, parameters: Mapping[str, Any]) -> Answer | Failure:
    """Call once; every `Exception` becomes what it means for a message, as if one were sent."""
    try:
        client = client_for(config)
    except Exception as error:  # noqa: BLE001 - whatever it was, nothing has been sent
        log.error("tencent_client_unavailable", error=type(error).__name__)  # noqa: TRY400 - the type only, no traceback
        return Unsent("client_unavailable", Fault.CREDENTIALS)
    answer = _tried(client, action, parameters)
    return failures.outcome_of(answer) if isinstance(answer, Exception) else _read(answer)


def _tried(client: Any, action: str, parameters: Mapping[str, Any]) -> Any:
    """Call, and return what is raised: read inside `except`, it would be the context of any slip in the reading.

    By `call_json`, since the SDK's models hide an error whose content type names a charset: it is not looked for then.
    """
    try:
        return client.call_json(action, dict(parameters))
    except Exception as error:  # noqa: BLE001 - one that escaped would carry number and code with it
        return error.with_traceback(None)


def _read(answer: Any) -> Answer | Failure:
    body = answer.get("Response") if isinstance(answer, dict) else None
    if not isinstance(body, dict):
        return Uncertain("unparsable_answer")
    if "Error" not in body:
        return Answer(body)
    error = body["Error"]
    code = error.get("Code") if isinstance(error, dict) else None
    return codes.outcome_of(code) if isinstance(code, str) and code else Uncertain("unparsable_answer")
