"""SendSms: one sign, one text, up to a thousand numbers."""

from typing import Final

from smsgate.sandbox.actions.parameters import Params, required
from smsgate.sandbox.answers import Code, accepted, refuse
from smsgate.sandbox.catalogue import values_of
from smsgate.sandbox.provider import Draft, Provider

MOST_NUMBERS: Final = 1000


def send_sms(provider: Provider, params: Params) -> dict[str, object]:
    """Accept a message to each number, all under one BizId."""
    written, sign, template = required(params, "PhoneNumbers", "SignName", "TemplateCode")
    phones = written.split(",")
    if len(phones) > MOST_NUMBERS:
        raise refuse(Code.MOBILE_COUNT_OVER_LIMIT)
    values = values_of(params.get("TemplateParam", ""))
    extend_code = params.get("SmsUpExtendCode", "")
    drafts = [Draft(phone, sign, values, extend_code) for phone in phones]
    return accepted(BizId=provider.submit(template, params.get("OutId", ""), drafts))
