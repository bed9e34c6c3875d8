"""Which calls and messages a fault concerns."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from smsgate.sandbox import numbers
from smsgate.sandbox.inbox import Service

SENDS: Final = frozenset({"SendSms", "SendBatchSms"})


Action = Literal[
    "SendSms",
    "SendBatchSms",
    "QuerySendDetails",
    "GetSmsTemplate",
    "GetSmsSign",
    "PullSmsSendStatusByPhoneNumber",
    "*",
]


class Match(BaseModel):
    """Which calls or messages it concerns; without an action, those that send."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phone: str | None = None
    phone_prefix: str | None = None
    template: str | None = None
    action: Action | None = None
    service: Service | None = None

    def concerns(self, action: str, phones: list[str], template: str, service: Service) -> bool:
        """Say whether a call of this action, with these numbers in kept form, is meant."""
        if self.action is None and action not in SENDS:
            return False
        if self.action not in (None, "*", action):
            return False
        return self.concerns_message(phones, template, service)

    def concerns_message(self, phones: list[str], template: str, service: Service) -> bool:
        if self.service not in (None, service):
            return False
        if self.template is not None and template != self.template:
            return False
        if self.phone is not None and numbers.digits(self.phone) not in phones:
            return False
        prefix = self.phone_prefix
        return prefix is None or any(phone.startswith(prefix) for phone in phones)
