"""What the sandbox has seen: messages, counts and duplicates, as JSON."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from smsgate.sandbox import numbers
from smsgate.sandbox.answers import encoded
from smsgate.sandbox.inbox import Query
from smsgate.sandbox.provider import Provider
from smsgate.sandbox.pushes import Pusher
from smsgate.sandbox.tally import Tally


class MessageQuery(BaseModel):
    """The query string of GET /_sandbox/messages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phone: Annotated[str, Field(max_length=32)] = ""
    out_id: Annotated[str, Field(max_length=255)] = ""
    q: Annotated[str, Field(max_length=200)] = ""
    limit: Annotated[int, Field(ge=1, le=1_000_000)] = 100


MESSAGE_QUERY: Final[TypeAdapter[MessageQuery]] = TypeAdapter(MessageQuery)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Reads and clears everything that was recorded."""

    provider: Provider
    tally: Tally
    reports: Pusher
    replies: Pusher
    tencent_reports: Pusher
    tencent_replies: Pusher
    clock: Callable[[], float] = time.time

    def messages(self, asked: MessageQuery) -> dict[str, object]:
        phone = numbers.digits(asked.phone) if asked.phone else ""
        found = self.provider.inbox.find(Query(phone, asked.out_id, asked.q.strip()))
        shown = [message.shown() for message in islice(found, asked.limit)]
        return {"messages": shown, "counts": self.provider.inbox.counts()}

    def stats(self) -> dict[str, object]:
        return {
            "requests": self.tally.shown(),
            "messages": self.provider.inbox.counts(),
            "duplicates": self.provider.inbox.duplicates(),
            "receipts_pending": self.provider.carrier.pending(),
            "reports": self.reports.shown(),
            "replies": self.replies.shown(),
            "tencent_reports": self.tencent_reports.shown(),
            "tencent_replies": self.tencent_replies.shown(),
            "faults": [posted.shown(self.clock()) for posted in self.provider.faults.listed()],
        }

    def clear(self) -> None:
        """Forget messages, counts, receipts and pushes on their way; faults stay."""
        self.provider.inbox.clear()
        self.provider.carrier.clear()
        if self.provider.flow_control is not None:
            self.provider.flow_control.clear()
        self.tally.clear()
        for pusher in (self.reports, self.replies, self.tencent_reports, self.tencent_replies):
            pusher.clear()


def answer(body: object, status: int = 200) -> web.Response:
    return web.Response(body=encoded(body), status=status, content_type="application/json", charset="utf-8")
