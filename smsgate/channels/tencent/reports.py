"""The codes in a report of the provider, and our reasons for them.

Source: cloud.tencent.com/document/product/382/3771 and 382/59177, which name carriers' raw codes and some of their
own. The raw code is kept in the receipt, so that a wrong guess here can be put right later.
"""

from typing import Final

from smsgate.channels.reason import Reason, of_carrier

REASONS: Final[dict[str, Reason]] = {
    "-106": Reason.CONTENT,
    "002": Reason.NOT_IN_SERVICE,
    "FailedOperation.PhoneNumberInBlacklist": Reason.BLACKLISTED,
    "FailedOperation.ContainSensitiveWord": Reason.CONTENT,
    "LimitExceeded.PhoneNumberDailyLimit": Reason.RECIPIENT_LIMIT,
}


def reason_of(code: str) -> Reason:
    """Give our reason for a code of a report; unknown where the tables have none."""
    return REASONS.get(code) or of_carrier(code) or Reason.UNKNOWN
