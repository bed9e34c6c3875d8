"""One SendSms call: from our submission to our outcome."""

from collections.abc import Mapping
from typing import Any

from smsgate.channels.channel import Submission
from smsgate.channels.tencent import codes
from smsgate.channels.tencent.call import Answer, call
from smsgate.channels.tencent.config import TencentConfig
from smsgate.outcome import Outcome, Sent, Uncertain


def send(config: TencentConfig, submission: Submission) -> Outcome:
    """Call SendSms once; whatever the SDK raises ends as an outcome."""
    answer = call(config, "SendSms", request_of(config, submission))
    return outcome_of(answer.body) if isinstance(answer, Answer) else answer


def request_of(config: TencentConfig, submission: Submission) -> dict[str, Any]:
    """Put a submission into the provider's words; our id goes as SessionContext, which comes back where it is opened.

    The provider's variables have numbers for names, so the order of `params` is theirs.
    """
    return {
        "PhoneNumberSet": [str(submission.phone)],
        "SmsSdkAppId": config.app_id,
        "SignName": submission.sign,
        "TemplateId": submission.template,
        "TemplateParamSet": list(submission.params.values()),
        "SessionContext": submission.id,
    }


def outcome_of(body: Mapping[str, Any]) -> Outcome:
    """Read an answer without an error as a whole: it has one status for each number, so one."""
    statuses = body.get("SendStatusSet")
    status = statuses[0] if isinstance(statuses, list) and len(statuses) == 1 else None
    code = status.get("Code") if isinstance(status, dict) else None
    if not isinstance(status, dict) or not isinstance(code, str) or not code:
        return Uncertain("unparsable_answer")
    if code.lower() != "ok":
        return codes.outcome_of(code)
    serial = status.get("SerialNo")
    return Sent(serial) if isinstance(serial, str) and serial else Uncertain("answer_without_id")
