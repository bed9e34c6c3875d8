"""The account that the sandbox plays: what it owns, what it has accepted, and how it takes one more message."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from smsgate.sandbox import numbers
from smsgate.sandbox.answers import Code, Rejection, refuse
from smsgate.sandbox.catalogue import Catalogue, Kind, Template, require_pair
from smsgate.sandbox.faults.board import FaultBoard
from smsgate.sandbox.flow_control import FlowControl
from smsgate.sandbox.inbox import Inbox, Message, Service
from smsgate.sandbox.receipts import Carrier

LONGEST_OUT_ID: Final = 255


@dataclass(frozen=True, slots=True)
class Draft:
    """One message that has been asked for: number as written, sign, variables."""

    phone: str
    sign: str
    values: dict[str, str]
    extend_code: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """Everything that an action needs."""

    catalogue: Catalogue
    inbox: Inbox
    carrier: Carrier
    faults: FaultBoard
    clock: Callable[[], float]
    flow_control: FlowControl | None = None

    def submit(self, template_code: str, out_id: str, drafts: list[Draft], service: Service = Service.ALIYUN) -> str:
        """Accept all drafts under one BizId, or none.

        Raises:
            Rejection: The first rule that one of them breaks.
        """
        if len(out_id) > LONGEST_OUT_ID:
            raise refuse(Code.INVALID_PARAMETERS)
        now = self.clock()
        biz_id = f"{int(now * 1000)}{self.inbox.next_serial() % 100_000:05d}^0"
        template = self.catalogue.template(template_code)
        messages = []
        for draft in drafts:
            phone = _readable(draft.phone)
            sign = self.catalogue.sign(draft.sign)
            require_pair(sign, template)
            _require_reach(phone, template, draft.phone)
            text = f"【{sign.name}】{template.render(draft.values)}"
            of = (sign.name, template.code, text, draft.extend_code)
            messages.append(Message(0, biz_id, phone.digits, out_id, *of, now, service))
        self._admit(template, messages, now)
        for message in messages:
            self._take(message)
        return biz_id

    def _take(self, message: Message) -> None:
        plan = self.faults.on_receipt(message.phone, message.template, message.service)
        message.serial = self.inbox.next_serial()
        message.phone_received = plan.reaches_phone
        self.inbox.add(message)
        self.carrier.carry(message, plan)

    def _admit(self, template: Template, messages: list[Message], now: float) -> None:
        if self.flow_control is not None:
            by_number = [(message.sign, message.phone) for message in messages]
            self.flow_control.admit(template.kind, template.code, by_number, now)


def _readable(written: str) -> numbers.Number:
    number = numbers.read(written)
    if number is None:
        raise _no_number(written)
    return number


def _require_reach(number: numbers.Number, template: Template, written: str) -> None:
    """Refuse a template for abroad at home, and one for home abroad."""
    if number.mainland and template.kind is Kind.INTERNATIONAL:
        raise refuse(Code.DOMESTIC_NUMBER_NOT_SUPPORTED)
    if not number.mainland and template.kind is not Kind.INTERNATIONAL:
        raise _no_number(written)


def _no_number(written: str) -> Rejection:
    # The real one names the number too: whoever logs its messages must mask them.
    return refuse(Code.MOBILE_NUMBER_ILLEGAL, f"{written}invalid mobile number")
