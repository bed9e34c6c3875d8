"""SendBatchSms: one template, up to a hundred numbers, each with its own sign and variables."""

from itertools import repeat
from typing import Final

from smsgate.sandbox.actions.parameters import Params, json_list, json_strings, required
from smsgate.sandbox.answers import Code, accepted, refuse
from smsgate.sandbox.catalogue import strings_in
from smsgate.sandbox.provider import Draft, Provider

MOST_NUMBERS: Final = 100


def send_batch_sms(provider: Provider, params: Params) -> dict[str, object]:
    """Accept a message to each number, all under one BizId."""
    template = required(params, "PhoneNumberJson", "SignNameJson", "TemplateCode")[2]
    return accepted(BizId=provider.submit(template, params.get("OutId", ""), _drafts(params)))


def _drafts(params: Params) -> list[Draft]:
    phones = json_strings(params["PhoneNumberJson"])
    if len(phones) > MOST_NUMBERS:
        raise refuse(Code.MOBILE_COUNT_OVER_LIMIT)
    signs = json_strings(params["SignNameJson"])
    values = _aligned(params, "TemplateParamJson", phones)
    codes = _aligned(params, "SmsUpExtendCodeJson", phones)
    if not phones or len(signs) != len(phones):
        raise refuse(Code.INVALID_PARAMETERS)
    return [
        Draft(phone, sign, strings_in(value or {}), str(code or ""))
        for phone, sign, value, code in zip(phones, signs, values, codes, strict=True)
    ]


def _aligned(params: Params, name: str, phones: list[str]) -> list[object]:
    """Read an optional array that must be as long as the numbers."""
    if not params.get(name):
        return list(repeat(None, len(phones)))
    items = json_list(params[name])
    if len(items) != len(phones):
        raise refuse(Code.INVALID_PARAMETERS)
    return items
