"""The actions that are known; each takes the call's parameters and makes an answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from smsgate.sandbox import numbers
from smsgate.sandbox.answers import Code, Rejection, refuse
from smsgate.sandbox.disturbances import Answer
from smsgate.sandbox.inbox import Message, Query, Service
from smsgate.sandbox.provider import Draft, Provider
from smsgate.sandbox.tencent.answers import OK, CallError, accepted, name_of
from smsgate.sandbox.tencent.receipts import description, status_of
from smsgate.sandbox.tencent.wire import Params

VERSION: Final = "2021-01-11"
MOST_NUMBERS: Final = 200
LARGEST_PAGE: Final = 100
LONGEST_CONTEXT: Final = 511


@dataclass(frozen=True, slots=True)
class Account:
    """The application that the sandbox plays; `sessions`: SessionContext comes back in statuses and reports."""

    provider: Provider
    app_id: str
    sessions: bool


Action = Callable[[Account, Params], Answer]


def find(name: str, version: str) -> Action:
    """Look an action up.

    Raises:
        CallError: There is none of this name or version.
    """
    if version != VERSION:
        raise CallError("NoSuchVersion", "The specified version does not exist.")
    action = ACTIONS.get(name)
    if action is None:
        raise CallError("InvalidAction", "The request action is not exist.")
    return action


def send_sms(account: Account, params: Params) -> Answer:
    """Accept a message to each number, or say why not to each."""
    phones = _phones(account, params)
    return _statuses(params, phones, [_sent(account, params, phone) for phone in phones])


def refused(params: Params, rejection: Rejection) -> Answer:
    """Refuse each number of a SendSms for the same reason."""
    phones = params.texts("PhoneNumberSet")
    return _statuses(params, phones, [rejection for _ in phones])


def _phones(account: Account, params: Params) -> list[str]:
    _require_app(account, params)
    phones = params.texts("PhoneNumberSet")
    if not phones:
        raise CallError("MissingParameter.EmptyPhoneNumberSet", "The list of phone numbers is empty.")
    if len(phones) > MOST_NUMBERS:
        raise CallError("LimitExceeded.PhoneNumberCountLimit", "The number of phone numbers exceeds 200.")
    if len(params.optional("SessionContext").encode()) > LONGEST_CONTEXT:
        raise CallError("InvalidParameter.InvalidParameters", "SessionContext is too long.")
    return phones


def _require_app(account: Account, params: Params) -> None:
    if params.text("SmsSdkAppId") != account.app_id:
        raise CallError("UnauthorizedOperation.SmsSdkAppIdVerifyFail", "The SmsSdkAppId is not this account's.")


def _sent(account: Account, params: Params, phone: str) -> str | Rejection:
    """Give the serial number of the accepted message, or the refusal."""
    code = template_code(params.text("TemplateId"))
    try:
        names = account.provider.catalogue.template(code).names
        values = params.texts("TemplateParamSet")
        if len(values) != len(names):
            raise refuse(Code.TEMPLATE_MISSING_PARAMETERS)
        draft = Draft(phone, params.optional("SignName"), dict(zip(names, values, strict=True)))
        return account.provider.submit(code, params.optional("SessionContext"), [draft], Service.TENCENT)
    except Rejection as rejection:
        return rejection


def template_code(template_id: str) -> str:
    return template_id if template_id.startswith("SMS_") else f"SMS_{template_id}"


def _statuses(params: Params, phones: list[str], ends: list[str | Rejection]) -> Answer:
    statuses = [_status(params, phone, end) for phone, end in zip(phones, ends, strict=True)]
    return accepted(str(statuses[0]["Code"]) if statuses else OK, SendStatusSet=statuses)


def _status(params: Params, phone: str, end: str | Rejection) -> dict[str, Any]:
    code, message = (name_of(end), end.message) if isinstance(end, Rejection) else (OK, "send success")
    return {
        "SerialNo": "" if isinstance(end, Rejection) else end,
        "PhoneNumber": phone,
        "Fee": 0 if isinstance(end, Rejection) else 1,
        "SessionContext": params.optional("SessionContext"),
        "Code": code,
        "Message": message,
        "IsoCode": "CN" if "+86" in phone else "DEF",
    }


def pull_statuses(account: Account, params: Params) -> Answer:
    """List what carriers have said of the messages to one number, newest first."""
    _require_app(account, params)
    limit, phone = params.number("Limit"), params.text("PhoneNumber")
    begin, end = params.number("BeginTime"), params.number("EndTime")
    if not 1 <= limit <= LARGEST_PAGE:
        raise CallError("InvalidParameterValue.LimitVerifyFail", "Limit must be 1 to 100.")
    if params.number("Offset") != 0:
        raise CallError("InvalidParameterValue.OffsetVerifyFail", "Offset must be 0.")
    if begin > end:
        raise CallError("InvalidParameterValue.InvalidStartTime", "BeginTime is after EndTime.")
    found = [
        message
        for message in account.provider.inbox.find(Query(phone=numbers.digits(phone)))
        if message.service is Service.TENCENT and message.settled_at and begin <= message.accepted_at <= end
    ]
    return accepted(PullSmsSendStatusSet=[_listed(account, message) for message in found[:limit]])


def _listed(account: Account, message: Message) -> dict[str, Any]:
    number = numbers.read(message.phone)
    mainland = number is not None and number.mainland
    return {
        "UserReceiveTime": int(message.settled_at or 0),
        "CountryCode": "86" if mainland else "",
        "SubscriberNumber": message.phone,
        "PhoneNumber": f"+86{message.phone}" if mainland else f"+{message.phone}",
        "SerialNo": message.biz_id,
        "ReportStatus": status_of(message),
        "Description": description(message),
        "SessionContext": message.out_id if account.sessions else "",
    }


ACTIONS: Final[dict[str, Action]] = {"SendSms": send_sms, "PullSmsSendStatusByPhoneNumber": pull_statuses}
