"""One SendBatchSms call: up to a hundred messages of one template, each with its own number, sign and variables."""

import json
from collections.abc import Sequence
from typing import Any

from alibabacloud_dysmsapi20170525.models import SendBatchSmsRequest

from smsgate.channels.aliyun.call import Answer, call
from smsgate.channels.aliyun.config import AliyunConfig
from smsgate.channels.aliyun.send_sms import outcome_of
from smsgate.channels.channel import Submission
from smsgate.outcome import Outcome


def send(config: AliyunConfig, chunk_id: str, submissions: Sequence[Submission]) -> Outcome:
    """Call SendBatchSms once; whatever the SDK raises ends as an outcome, which holds for all of the messages."""
    request = request_of(chunk_id, submissions)
    answer = call(config, lambda client, options: client.send_batch_sms_with_options(request, options))
    return outcome_of(answer.body) if isinstance(answer, Answer) else answer


def request_of(chunk_id: str, submissions: Sequence[Submission]) -> SendBatchSmsRequest:
    """Put messages into the provider's words.

    The call has one OutId and one BizId, so the provider tells its messages apart by their numbers only.
    """
    some_have_params = any(submission.params for submission in submissions)
    return SendBatchSmsRequest(
        out_id=chunk_id,
        template_code=submissions[0].template,
        phone_number_json=_json([submission.phone.national for submission in submissions]),
        sign_name_json=_json([submission.sign for submission in submissions]),
        template_param_json=_json([dict(submission.params) for submission in submissions])
        if some_have_params
        else None,
    )


def _json(values: list[Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
