"""What the provider answers: HTTP 200 for nearly all, with an error for the call or a code for each number."""

import re
from typing import Final
from uuid import uuid4

from smsgate.sandbox.answers import WORDS, Code, Rejection, encoded
from smsgate.sandbox.disturbances import Answer
from smsgate.sandbox.faults.specs import Refusal, Throttle, Unavailable

# No charset: by any other content type the SDKs do not look for an error.
HEADERS: Final = {"Content-Type": "application/json"}
OK: Final = "Ok"

# What the rules of the account are called here.
NAMES: Final[dict[str, str]] = {
    Code.MOBILE_NUMBER_ILLEGAL: "InvalidParameterValue.IncorrectPhoneNumber",
    Code.MOBILE_COUNT_OVER_LIMIT: "LimitExceeded.PhoneNumberCountLimit",
    Code.SMS_SIGNATURE_ILLEGAL: "FailedOperation.SignatureIncorrectOrUnapproved",
    Code.SIGN_STATE_ILLEGAL: "FailedOperation.SignatureIncorrectOrUnapproved",
    Code.SMS_SIGNATURE_SCENE_ILLEGAL: "FailedOperation.TemplateIncorrectOrUnapproved",
    Code.SMS_TEMPLATE_ILLEGAL: "FailedOperation.TemplateUnapprovedOrNotExist",
    Code.SMS_TEST_SIGN_TEMPLATE_LIMIT: "FailedOperation.TemplateIncorrectOrUnapproved",
    Code.TEMPLATE_MISSING_PARAMETERS: "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
    Code.TEMPLATE_PARAMS_ILLEGAL: "InvalidParameterValue.TemplateParameterFormatError",
    Code.PARAM_LENGTH_LIMIT: "InvalidParameterValue.TemplateParameterLengthLimit",
    Code.PARAM_NOT_SUPPORT_URL: "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
    Code.INVALID_PARAMETERS: "InvalidParameter.InvalidParameters",
    Code.DOMESTIC_NUMBER_NOT_SUPPORTED: "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone",
    Code.DAY_LIMIT_CONTROL: "LimitExceeded.AppDailyLimit",
    Code.AMOUNT_NOT_ENOUGH: "FailedOperation.InsufficientBalanceInSmsPackage",
    Code.OUT_OF_SERVICE: "UnauthorizedOperation.ServiceSuspendDueToArrears",
    Code.BLACK_KEY_CONTROL_LIMIT: "FailedOperation.PhoneNumberInBlacklist",
    Code.SMS_CONTENT_ILLEGAL: "FailedOperation.ContainSensitiveWord",
    Code.SYSTEM_ERROR: "InternalError.OtherError",
    Code.GATEWAY_ERROR: "InternalError.SendAndRecvFail",
    Code.RAM_PERMISSION_DENY: "UnauthorizedOperation.RequestPermissionDeny",
}
# The windows of flow control, by the text that names them.
_WINDOWS: Final = {
    "分钟": "LimitExceeded.PhoneNumberThirtySecondLimit",
    "小时": "LimitExceeded.PhoneNumberOneHourLimit",
    "天": "LimitExceeded.PhoneNumberDailyLimit",
}
# What is said of the call as a whole, even by SendSms; the rest it says of each number.
_OF_THE_CALL: Final = re.compile(r"(AuthFailure|RequestLimitExceeded)\b.*|[A-Za-z]+")


class CallError(Exception):
    """An error of the whole call, on its way out."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        self.code = code
        self.message = message
        self.status = status
        super().__init__(code)

    def answer(self) -> Answer:
        body = {"Response": {"Error": {"Code": self.code, "Message": self.message}, "RequestId": str(uuid4())}}
        return Answer(self.status, encoded(body), self.code, HEADERS)


def accepted(ending: str = OK, **fields: object) -> Answer:
    """Answer without an error for the whole."""
    return Answer(200, encoded({"Response": {**fields, "RequestId": str(uuid4())}}), ending, HEADERS)


def missing(parameter: str) -> CallError:
    return CallError("MissingParameter", f"The request is missing a required parameter `{parameter}`.")


def name_of(rejection: Rejection) -> str:
    """Name a refusal as this provider does."""
    if rejection.code == Code.BUSINESS_LIMIT_CONTROL:
        names = (name for window, name in _WINDOWS.items() if window in rejection.message)
        return next(names, "LimitExceeded.DeliveryFrequencyLimit")
    return NAMES.get(rejection.code, rejection.code)


def of_the_call(code: str) -> bool:
    return _OF_THE_CALL.fullmatch(code) is not None


def said(fault: Throttle | Refusal | Unavailable) -> CallError | Rejection:
    """Say what a posted fault says: of the call as a whole or, as a rejection, of each number in it."""
    match fault:
        case Throttle():
            return CallError("RequestLimitExceeded", "Your current request times exceeds the limit.")
        case Unavailable():
            return CallError("InternalError", "An internal error has occurred.", fault.status)
        case Refusal():
            message = fault.message if fault.message is not None else WORDS.get(fault.code, fault.code)
            name = name_of(Rejection(200, fault.code, message))
            return CallError(name, message) if of_the_call(name) else Rejection(200, name, message)
