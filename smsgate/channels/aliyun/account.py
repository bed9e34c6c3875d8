"""What the provider says of our key, and of a sign and a template."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, assert_never

from alibabacloud_dysmsapi20170525.models import GetSmsSignRequest, GetSmsTemplateRequest

from smsgate.channels.aliyun import codes, failures
from smsgate.channels.aliyun.config import AliyunConfig
from smsgate.channels.aliyun.finding import Finding
from smsgate.channels.aliyun.sdk import client_for, runtime_for
from smsgate.channels.failure import Failure
from smsgate.outcome import Fault, Refused, Uncertain, Unsent

# A template that no account has: any answer about it, good or bad, shows that the key was accepted.
NO_TEMPLATE: Final = "SMS_0"
# Refusals of a key that is a good one and only may not ask this, such as a RAM user's that may send and nothing else.
NOT_PERMITTED: Final = ("isp.RAM_PERMISSION_DENY", "Forbidden")
STATUS: Final[dict[str, str]] = {"0": "under review", "1": "approved", "2": "rejected", "10": "withdrawn from review"}
APPROVED: Final = "1"
_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")

GRANT: Final = (
    "to have this checked, grant the RAM user dysms:GetSmsSign and dysms:GetSmsTemplate; sending needs neither"
)
READ_THE_AUDIT: Final = "read the audit's answer in the SMS console; nothing is sent with it before it is approved"
OTHERWISE: Final = "ask again; if it stays, look the code up in the provider's table of API codes"
FIXES: Final[dict[Fault, str]] = {
    Fault.CREDENTIALS: "check the key and its secret, the RAM user's rights, the clock and the address we call from",
    Fault.ACCOUNT: "look at balance, limits and activation in the SMS console",
    Fault.CONFIGURATION: "compare the name with the SMS console of this very account",
    Fault.THROTTLED: "ask again in a moment",
    Fault.PROVIDER: "check DNS, firewall and proxy on the way to the endpoint",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said to a question: a body, or what stands for its refusal or silence."""

    body: Any
    failure: Failure | None = None

    @property
    def not_permitted(self) -> bool:
        return self.failure is not None and self.failure.reason.startswith(NOT_PERMITTED)

    @property
    def key_accepted(self) -> bool:
        match self.failure:
            case None:
                return True
            case Refused(_, fault):
                return self.not_permitted or fault is not Fault.CREDENTIALS
            case _:
                return False


def ask(config: AliyunConfig, sign: str | None, template: str | None) -> Iterator[Finding]:
    """Ask about the key, and where it is accepted about the sign and the template given."""
    client, options = client_for(config), runtime_for(config)
    about_template = GetSmsTemplateRequest(template_code=template or NO_TEMPLATE)
    answer = _answer(lambda: client.get_sms_template_with_options(about_template, options))
    yield _key(answer)
    if sign and answer.key_accepted:
        about_sign = GetSmsSignRequest(sign_name=sign)
        yield _sign(sign, _answer(lambda: client.get_sms_sign_with_options(about_sign, options)))
    if template and answer.key_accepted:
        yield _template(template, answer)


def _answer(question: Callable[[], Any]) -> Answer:
    try:
        body = question().body
    except Exception as error:  # noqa: BLE001 - the SDK's exceptions hold URLs; only our word for them goes on
        return Answer(None, failures.outcome_of(error))
    code = getattr(body, "code", None)
    if not isinstance(code, str):
        return Answer(None, Uncertain("unparsable_answer"))
    return Answer(body) if code == "OK" else Answer(None, codes.outcome_of(code))


def _key(answer: Answer) -> Finding:
    if answer.failure is None or answer.key_accepted:
        return Finding("key", ok=True, detail="accepted by the provider")
    return _failed("key", answer.failure)


def _sign(sign: str, answer: Answer) -> Finding:
    if answer.failure is not None:
        return _failed("sign", answer.failure, of=sign)
    return _audited("sign", sign, str(answer.body.sign_status))


def _template(template: str, answer: Answer) -> Finding:
    if answer.failure is not None:
        return _failed("template", answer.failure, of=template)
    names = dict.fromkeys(_VARIABLE.findall(str(answer.body.template_content)))
    variables = f"variables: {', '.join(names)}" if names else "no variables"
    return _audited("template", template, str(answer.body.template_status), f"; {variables}")


def _audited(what: str, name: str, status: str, more: str = "") -> Finding:
    detail = f"{name}: {STATUS.get(status, f'status {status}')}{more}"
    return Finding(what, ok=status == APPROVED, detail=detail, fix="" if status == APPROVED else READ_THE_AUDIT)


def _failed(what: str, failure: Failure, of: str = "the access key") -> Finding:
    detail = f"{of}: {failure.reason}"
    match failure:
        case Refused(reason) if reason.startswith(NOT_PERMITTED):
            return Finding(what, ok=True, detail=detail, fix=GRANT)
        case Refused(_, fault) | Unsent(_, fault):
            return Finding(what, ok=False, detail=detail, fix=FIXES.get(fault, OTHERWISE))
        case Uncertain():
            return Finding(what, ok=False, detail=detail, fix=OTHERWISE)
        case never:
            assert_never(never)
