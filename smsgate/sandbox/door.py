"""The address that SDKs call: read, authenticate, let faults have their way, act, answer."""

from dataclasses import dataclass

from aiohttp import web

from smsgate.sandbox import actions, wire
from smsgate.sandbox.actions.parameters import phones
from smsgate.sandbox.answers import Rejection, encoded
from smsgate.sandbox.authentication import Authenticator
from smsgate.sandbox.disturbances import Answer, Exchange, answer_of, disturbed, said
from smsgate.sandbox.guard import Guard
from smsgate.sandbox.page import Page
from smsgate.sandbox.provider import Provider
from smsgate.sandbox.tally import Tally
from smsgate.sandbox.tencent.door import TencentDoor
from smsgate.sandbox.tencent.wire import ACTION
from smsgate.sandbox.wire import Call


@dataclass(frozen=True, slots=True)
class Door:
    """Answers `/`: to an SDK as Dysmsapi or as the service whose action it names, to a browser with the inbox."""

    authenticator: Authenticator
    provider: Provider
    tally: Tally
    page: Page
    guard: Guard
    tencent: TencentDoor

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if _is_browser(request):
            self.guard.check(request)
            return self.page.response("inbox.html")
        if ACTION in request.headers:
            return await self.tencent(request)
        body = await request.read() if request.can_read_body else b""
        name = ""
        try:
            call = wire.read(request.method, request.raw_path, request.headers, body)
            name = call.action
            self.authenticator.verify(call)
            action = actions.find(name, call.version)
        except Rejection as rejection:
            self._count(name, rejection.code)
            return answer_of(rejection).response()
        return await self._answer(request, call, action)

    async def _answer(self, request: web.Request, call: Call, action: actions.Action) -> web.StreamResponse:
        name = call.action
        disturbance = self.provider.faults.on_call(name, phones(call.params), call.params.get("TemplateCode", ""))
        if disturbance is None:
            answer = self._take(call, action)
            self._count(name, answer.ending)
            return answer.response()
        exchange = Exchange(request, lambda: self._take(call, action), lambda ending: self._count(name, ending), said)
        return await disturbed(exchange, disturbance)

    def _take(self, call: Call, action: actions.Action) -> Answer:
        try:
            body = action(self.provider, call.params)
        except Rejection as rejection:
            return answer_of(rejection)
        return Answer(200, encoded(body), "OK")

    def _count(self, name: str, ending: str) -> None:
        self.tally.count(name if name in actions.ACTIONS else "(unknown)", ending)


def _is_browser(request: web.Request) -> bool:
    """Tell a browser's visit from an old SDK's GET, which names its action."""
    return (
        request.method in ("GET", "HEAD")
        and "Action" not in request.query
        and "Authorization" not in request.headers
        and "Signature" not in request.query
    )
