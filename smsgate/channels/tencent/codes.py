"""The provider's error codes in an answer, and what each means for us.

Sources: the SDK's errorcodes.py (3.1.153), cloud.tencent.com/document/api/382/59177 (codes of sending) and 382/52075
(codes of the API gateway). A code comes for the whole answer or for the number; no code is known in both with two
meanings. One that is not here is refused as unknown and logged: add it, with its meaning, to this table.
"""

import time
from datetime import datetime, timedelta
from typing import Final

from smsgate.channels.failure import Failure
from smsgate.channels.fields import SHANGHAI
from smsgate.channels.meaning import Meaning, failure_of

# Marketing messages go out from 8 to 22 o'clock only.
NIGHT: Final = "FailedOperation.MarketingSendTimeConstraint"
MORNING: Final = 8

CODES: Final[dict[str, Meaning]] = {
    "ResponseSizeLimitExceeded": Meaning.AMBIGUOUS,
    "LimitExceeded.GlobalSmsSendingRateLimit": Meaning.THROTTLED,
    "LimitExceeded.DeliveryFrequencyLimit": Meaning.NUMBER_LIMIT,  # the console's rules, whichever it was
    "LimitExceeded.PhoneNumberThirtySecondLimit": Meaning.NUMBER_LIMIT,
    "LimitExceeded.PhoneNumberOneHourLimit": Meaning.NUMBER_LIMIT,
    "LimitExceeded.PhoneNumberDailyLimit": Meaning.NUMBER_LIMIT,
    "LimitExceeded.PhoneNumberSameContentDailyLimit": Meaning.NUMBER_LIMIT,
    NIGHT: Meaning.NUMBER_LIMIT,
    "FailedOperation.InsufficientBalanceInSmsPackage": Meaning.ACCOUNT,
    "LimitExceeded": Meaning.ACCOUNT,
    "LimitExceeded.AppDailyLimit": Meaning.ACCOUNT,
    "LimitExceeded.AppMainlandChinaDailyLimit": Meaning.ACCOUNT,
    "LimitExceeded.AppGlobalDailyLimit": Meaning.ACCOUNT,
    "LimitExceeded.AppCountryOrRegionDailyLimit": Meaning.ACCOUNT,
    "LimitExceeded.DailyLimit": Meaning.ACCOUNT,
    "UnauthorizedOperation.SdkAppIdIsDisabled": Meaning.ACCOUNT,
    "UnauthorizedOperation.ServiceSuspendDueToArrears": Meaning.ACCOUNT,
    # Answers of the API gateway, or of the service before it has looked at a message.
    "InternalError.RequestTimeException": Meaning.CREDENTIALS,  # the clock is off by more than ten minutes
    "InternalError.RestApiInterfaceNotExist": Meaning.CREDENTIALS,
    "InternalError.SigFieldMissing": Meaning.CREDENTIALS,
    "InternalError.SigVerificationFail": Meaning.CREDENTIALS,
    "InvalidParameter.AppidAndBizId": Meaning.CREDENTIALS,  # the application is another account's
    "InvalidParameterValue.SdkAppIdNotExist": Meaning.CREDENTIALS,
    "ActionOffline": Meaning.CREDENTIALS,
    "InvalidAction": Meaning.CREDENTIALS,
    "IpInBlacklist": Meaning.CREDENTIALS,
    "IpNotInWhitelist": Meaning.CREDENTIALS,
    "NoSuchProduct": Meaning.CREDENTIALS,
    "NoSuchVersion": Meaning.CREDENTIALS,
    "UnsupportedProtocol": Meaning.CREDENTIALS,
    "UnsupportedRegion": Meaning.CREDENTIALS,
    "FailedOperation.MissingSignature": Meaning.CONFIGURATION,
    "FailedOperation.MissingSignatureList": Meaning.CONFIGURATION,
    "FailedOperation.MissingTemplateList": Meaning.CONFIGURATION,
    "FailedOperation.NotEnterpriseCertification": Meaning.CONFIGURATION,
    "FailedOperation.SignIdNotExist": Meaning.CONFIGURATION,
    "FailedOperation.SignatureIncorrectOrUnapproved": Meaning.CONFIGURATION,
    "FailedOperation.TemplateIdNotExist": Meaning.CONFIGURATION,
    "FailedOperation.TemplateIncorrectOrUnapproved": Meaning.CONFIGURATION,
    "FailedOperation.TemplateUnapprovedOrNotExist": Meaning.CONFIGURATION,
    "LimitExceeded.AppCountryOrRegionInBlacklist": Meaning.CONFIGURATION,  # by the application's own settings
    "UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny": Meaning.CONFIGURATION,
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": Meaning.VARIABLES,
    "FailedOperation.ContainSensitiveWord": Meaning.MESSAGE,
    "FailedOperation.FailResolvePacket": Meaning.MESSAGE,
    "FailedOperation.JsonParseFail": Meaning.MESSAGE,
    "FailedOperation.OtherError": Meaning.MESSAGE,  # "as a rule a parameter that does not meet the requirements"
    "FailedOperation.PhoneNumberInBlacklist": Meaning.MESSAGE,
    "FailedOperation.PhoneNumberParseFail": Meaning.MESSAGE,
    "InternalError.JsonParseFail": Meaning.MESSAGE,  # "the user's parameters could not be parsed"
    "LimitExceeded.PhoneNumberCountLimit": Meaning.MESSAGE,
    "RequestSizeLimitExceeded": Meaning.MESSAGE,
    "InvalidRequest": Meaning.MESSAGE,
    "UnknownParameter": Meaning.MESSAGE,
}

# Families of codes, for what the table above does not name; the first that fits. The API's codes are `Family.Detail`.
FAMILIES: Final[dict[str, Meaning]] = {
    "InternalError": Meaning.AMBIGUOUS,
    "ServiceUnavailable": Meaning.AMBIGUOUS,
    "RequestLimitExceeded": Meaning.THROTTLED,
    "AuthFailure": Meaning.CREDENTIALS,
    "UnauthorizedOperation": Meaning.CREDENTIALS,
    "UnsupportedOperation": Meaning.CONFIGURATION,  # mainland templates abroad and the other way round
    "InvalidParameter": Meaning.MESSAGE,
    "InvalidParameterValue": Meaning.MESSAGE,
    "MissingParameter": Meaning.MESSAGE,
}

# Seconds for which a number is closed.
WINDOWS: Final[dict[str, float]] = {
    "LimitExceeded.PhoneNumberThirtySecondLimit": 30.0,
    "LimitExceeded.PhoneNumberOneHourLimit": 3600.0,
    "LimitExceeded.PhoneNumberDailyLimit": 86400.0,
    "LimitExceeded.PhoneNumberSameContentDailyLimit": 86400.0,
}
SHORTEST_WINDOW: Final = 30.0


def meaning_of(code: str) -> Meaning | None:
    """Look a code up; None if nobody has told us of it."""
    return CODES.get(code) or FAMILIES.get(code.partition(".")[0])


def outcome_of(code: str) -> Failure:
    """Turn the code of an answer, or of the number in it, into an outcome."""
    window = until_morning(time.time()) if code == NIGHT else WINDOWS.get(code, SHORTEST_WINDOW)
    return failure_of(code, meaning_of(code), window=window)


def until_morning(now: float) -> float:
    """Count the seconds to the next eight o'clock of Shanghai; `now` is Unix seconds."""
    here = datetime.fromtimestamp(now, SHANGHAI)
    morning = here.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return ((morning if morning > here else morning + timedelta(days=1)) - here).total_seconds()
