"""One SendSms call: from our submission to our outcome."""

import json
from typing import Any

import structlog
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_dysmsapi20170525.models import SendSmsRequest, SendSmsResponse
from darabonba.runtime import RuntimeOptions

from smsgate.channels.aliyun import codes, failures
from smsgate.channels.aliyun.config import AliyunConfig
from smsgate.channels.aliyun.sdk import client_for, runtime_for
from smsgate.channels.channel import Submission
from smsgate.outcome import Fault, Outcome, Sent, Uncertain, Unsent

log = structlog.get_logger(__name__)


def send(config: AliyunConfig, submission: Submission) -> Outcome:
    """Call SendSms once; every `Exception` becomes an outcome, since the SDK's own hold number, code and key."""
    try:
        client = client_for(config)
    except Exception as error:  # noqa: BLE001 - whatever it was, nothing has been sent
        log.error("aliyun_client_unavailable", error=type(error).__name__)  # noqa: TRY400 - the type only, no traceback
        return Unsent("client_unavailable", Fault.CREDENTIALS)
    answer = _call(client, request_of(submission), runtime_for(config))
    return failures.outcome_of(answer) if isinstance(answer, Exception) else outcome_of(answer.body)


def _call(client: Client, request: SendSmsRequest, options: RuntimeOptions) -> SendSmsResponse | Exception:
    """Call, and return what is raised: read inside `except`, it would be the context of any slip in the reading."""
    try:
        return client.send_sms_with_options(request, options)
    except Exception as error:  # noqa: BLE001 - one that escaped would carry the URL with it
        return error.with_traceback(None)


def request_of(submission: Submission) -> SendSmsRequest:
    """Put a submission into the provider's words; our id goes as OutId, by which a lost answer can be found again."""
    return SendSmsRequest(
        phone_numbers=submission.phone.national,
        sign_name=submission.sign,
        template_code=submission.template,
        template_param=_json(dict(submission.params)) if submission.params else None,
        out_id=submission.id,
    )


def _json(params: dict[str, str]) -> str:
    return json.dumps(params, ensure_ascii=False, separators=(",", ":"))


def outcome_of(body: Any) -> Outcome:
    """Read an answer that came with HTTP 200; the SDK passes on any JSON, whether it is the provider's or not."""
    code = getattr(body, "code", None)
    if not isinstance(code, str) or not code:
        return Uncertain("unparsable_answer")
    if code != "OK":
        return codes.outcome_of(code, str(body.message))
    if not isinstance(body.biz_id, str) or not body.biz_id:
        return Uncertain("answer_without_id")
    return Sent(body.biz_id)
