"""The address that Tencent's SDKs call: read, authenticate, let faults have their way, act, answer."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from smsgate.sandbox.answers import Rejection
from smsgate.sandbox.disturbances import Answer, Exchange, disturbed
from smsgate.sandbox.faults.specs import Refusal, Throttle, Unavailable
from smsgate.sandbox.inbox import Service
from smsgate.sandbox.tally import Tally
from smsgate.sandbox.tencent import actions, wire
from smsgate.sandbox.tencent.actions import Account, Action
from smsgate.sandbox.tencent.answers import CallError, said
from smsgate.sandbox.tencent.authentication import Authenticator
from smsgate.sandbox.tencent.wire import Params

_TEMPLATE: Final = "TemplateId"


@dataclass(frozen=True, slots=True)
class TencentDoor:
    """Answers what has an `X-TC-Action`."""

    authenticator: Authenticator
    account: Account
    tally: Tally

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        body = await request.read() if request.can_read_body else b""
        call = wire.read(request.method, request.raw_path, request.headers, body)
        try:
            self.authenticator.verify(call)
            action = actions.find(call.action, call.version)
            params = wire.params_of(call)
        except CallError as error:
            self._count(call.action, error.code)
            return error.answer().response()
        return await self._answer(request, call.action, action, params)

    async def _answer(self, request: web.Request, name: str, action: Action, params: Params) -> web.StreamResponse:
        template = str(params.given.get(_TEMPLATE, ""))
        code = actions.template_code(template) if template else ""
        disturbance = self.account.provider.faults.on_call(name, params.phones, code, Service.TENCENT)
        if disturbance is None:
            answer = self._take(action, params)
            self._count(name, answer.ending)
            return answer.response()

        def say(fault: Throttle | Refusal | Unavailable) -> Answer:
            what = said(fault)
            if isinstance(what, CallError):
                return what.answer()
            return self._refused(name, params, what)

        exchange = Exchange(request, lambda: self._take(action, params), lambda end: self._count(name, end), say)
        return await disturbed(exchange, disturbance)

    def _take(self, action: Action, params: Params) -> Answer:
        try:
            return action(self.account, params)
        except CallError as error:
            return error.answer()

    def _refused(self, name: str, params: Params, rejection: Rejection) -> Answer:
        """Refuse as SendSms does, number by number; other actions have only the call to speak of."""
        if name == "SendSms":
            return actions.refused(params, rejection)
        return CallError(rejection.code, rejection.message).answer()

    def _count(self, name: str, ending: str) -> None:
        self.tally.count(f"tencent.{name}" if name in actions.ACTIONS else "(unknown)", ending)
