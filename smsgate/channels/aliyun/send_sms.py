"""One SendSms call: from our submission to our outcome."""

import json
from typing import Any

from alibabacloud_dysmsapi20170525.models import SendSmsRequest

from smsgate.channels.aliyun import codes
from smsgate.channels.aliyun.call import Answer, call
from smsgate.channels.aliyun.config import AliyunConfig
from smsgate.channels.channel import Submission
from smsgate.outcome import Outcome, Sent, Uncertain


def send(config: AliyunConfig, submission: Submission) -> Outcome:
    """Call SendSms once; whatever the SDK raises ends as an outcome."""
    request = request_of(submission)
    answer = call(config, lambda client, options: client.send_sms_with_options(request, options))
    return outcome_of(answer.body) if isinstance(answer, Answer) else answer


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
