"""The control interface under /_sandbox/: evidence, faults, replies, callbacks."""

from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from typing import Annotated, Final

from aiohttp import web
from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, TypeAdapter

from smsgate.sandbox import china_time, numbers
from smsgate.sandbox.evidence import MESSAGE_QUERY, Evidence, answer
from smsgate.sandbox.faults.specs import ASKED, Outage, Refuse
from smsgate.sandbox.inbox import Service
from smsgate.sandbox.listener import Listener
from smsgate.sandbox.problems import body_as, problem, query_as
from smsgate.sandbox.tencent.receipts import reply as tencent_reply


class Reply(BaseModel):
    """What somebody writes back on their phone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phone: Annotated[str, Field(min_length=5, max_length=32)]
    content: Annotated[str, Field(max_length=1000)]
    dest_code: Annotated[str, Field(pattern=r"^[0-9]{0,20}$")] = ""
    sign_name: str | None = None
    service: Service = Service.ALIYUN


class Callbacks(BaseModel):
    """Where reports and replies go from now on; null turns them off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    report_url: AnyHttpUrl | None = None
    up_url: AnyHttpUrl | None = None
    tencent_report_url: AnyHttpUrl | None = None
    tencent_up_url: AnyHttpUrl | None = None


REPLY: Final[TypeAdapter[Reply]] = TypeAdapter(Reply)
CALLBACKS: Final[TypeAdapter[Callbacks]] = TypeAdapter(Callbacks)
_SEQUENCE: Final = count(1)


@dataclass(frozen=True, slots=True)
class Control:
    """Handlers; each reads, acts and answers."""

    evidence: Evidence
    listener: Listener

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/health", self.health),
            web.get("/stats", self.stats),
            web.get("/messages", self.messages),
            web.delete("/messages", self.clear),
            web.get("/faults", self.faults),
            web.post("/faults", self.post_fault),
            web.delete("/faults", self.clear_faults),
            web.delete("/faults/{id}", self.remove_fault),
            web.post("/replies", self.reply),
            web.put("/callbacks", self.set_callbacks),
        ]

    async def health(self, _request: web.Request) -> web.Response:
        return answer({"status": "ok"})

    async def stats(self, _request: web.Request) -> web.Response:
        return answer(self.evidence.stats())

    async def messages(self, request: web.Request) -> web.Response:
        return answer(self.evidence.messages(query_as(MESSAGE_QUERY, request)))

    async def clear(self, _request: web.Request) -> web.Response:
        self.evidence.clear()
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def faults(self, _request: web.Request) -> web.Response:
        return answer({"faults": self.evidence.stats()["faults"]})

    async def post_fault(self, request: web.Request) -> web.Response:
        asked = await body_as(ASKED, request)
        if isinstance(asked, Refuse):
            await self.listener.refuse(asked.seconds, spare=request.transport)
            response = answer({**asked.model_dump(), "phone_receives": False}, HTTPStatus.CREATED)
            response.force_close()
            return response
        fault = asked.as_unavailable() if isinstance(asked, Outage) else asked
        posted = self.evidence.provider.faults.post(fault)
        return answer(posted.shown(self.evidence.clock()), HTTPStatus.CREATED)

    async def clear_faults(self, _request: web.Request) -> web.Response:
        self.evidence.provider.faults.clear()
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def remove_fault(self, request: web.Request) -> web.Response:
        if not self.evidence.provider.faults.remove(request.match_info["id"]):
            raise problem(HTTPStatus.NOT_FOUND, "There is no such fault.")
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def reply(self, request: web.Request) -> web.Response:
        reply = await body_as(REPLY, request)
        theirs = reply.service is Service.TENCENT
        pusher = self.evidence.tencent_replies if theirs else self.evidence.replies
        if pusher.url is None:
            setting = f"SMSGATE_SANDBOX_{'TENCENT_' if theirs else ''}UP_URL"
            raise problem(HTTPStatus.CONFLICT, f"There is nowhere to push it: set {setting}.")
        item = self._tencent_reply(reply) if theirs else self._sms_up(reply)
        pusher.push([item])
        return answer(item, HTTPStatus.ACCEPTED)

    async def set_callbacks(self, request: web.Request) -> web.Response:
        callbacks = await body_as(CALLBACKS, request)
        self.evidence.reports.url = _written(callbacks.report_url)
        self.evidence.replies.url = _written(callbacks.up_url)
        self.evidence.tencent_reports.url = _written(callbacks.tencent_report_url)
        self.evidence.tencent_replies.url = _written(callbacks.tencent_up_url)
        return answer(callbacks.model_dump(mode="json"))

    def _tencent_reply(self, reply: Reply) -> dict[str, object]:
        return tencent_reply(reply.phone, reply.content, reply.sign_name or "", self.evidence.clock())

    def _sms_up(self, reply: Reply) -> dict[str, object]:
        """Write an SmsUp as the provider pushes it."""
        item: dict[str, object] = {
            "phone_number": numbers.digits(reply.phone),
            "content": reply.content,
            "send_time": china_time.stamp(self.evidence.clock()),
            "dest_code": reply.dest_code,
            "sequence_id": next(_SEQUENCE),
        }
        return item if reply.sign_name is None else {**item, "sign_name": reply.sign_name}


def _written(url: AnyHttpUrl | None) -> str | None:
    return str(url) if url else None
