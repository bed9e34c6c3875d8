"""What providers push to us (receipts, replies), stored as it came until a worker has applied it."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, cast

import redis

from smsgate.ledger import keys, scripts
from smsgate.ledger.connection import border
from smsgate.ledger.envelope import seal
from smsgate.ledger.provider_ids import ProviderIds
from smsgate.queues import Queue, TaskName
from smsgate.receipt import Reply


class PushKind(StrEnum):
    """What a push tells, and whose it is: Aliyun's are named as Aliyun names them."""

    SMS_REPORT = "sms-report"
    SMS_UP = "sms-up"
    TENCENT_REPORT = "tencent-sms-report"
    TENCENT_UP = "tencent-sms-up"


@dataclass(frozen=True, slots=True)
class Push:
    """One raw push of a provider."""

    id: str
    kind: PushKind
    body: str


class Pushes:
    """The pushes in one Redis, and the ids by which some of them speak of messages."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self.provider_ids: Final = ProviderIds(client)
        self._store = client.register_script(scripts.source("store_push"))
        self._keep = client.register_script(scripts.source("keep_reply"))

    def store(self, push: Push) -> None:
        """Store a push and queue its task, both or neither.

        Raises:
            StoreUnavailable: The provider must push again.
        """
        task = _task(push.id)
        with border():
            self._store(
                keys=[keys.push(push.id), keys.PUSHES_WAITING, Queue.RECEIPTS],
                args=[push.id, push.body, push.kind, keys.PUSH_TTL, time.time(), task],
            )

    def read(self, push_id: str) -> Push | None:
        with border():
            known = cast("dict[str, str]", self._redis.hgetall(keys.push(push_id)))
        return Push(push_id, PushKind(known["kind"]), known["body"]) if known else None

    def done(self, push_id: str) -> None:
        """Forget a push that has been applied."""
        with border():
            pipe = self._redis.pipeline()
            pipe.delete(keys.push(push_id))
            pipe.zrem(keys.PUSHES_WAITING, push_id)
            pipe.execute()

    def set_aside(self, push_id: str) -> None:
        """Keep a push that cannot be used under `sms:push:ID` until it lapses, and queue it no more."""
        with border():
            self._redis.zrem(keys.PUSHES_WAITING, push_id)

    def put_off(self, push_id: str) -> int:
        """Leave a push waiting, so that `requeue` queues it again in a minute or two; returns how often it was put off.

        Raises:
            StoreUnavailable: It waits all the same.
        """
        with border():
            pipe = self._redis.pipeline()
            pipe.hincrby(keys.push(push_id), "put_off", 1)
            pipe.expire(keys.push(push_id), keys.PUSH_TTL)
            times, _ = pipe.execute()
        return int(times)

    def requeue(self, *, older_than: float, limit: int = 1000) -> int:
        """Queue again the pushes that have waited for more than `older_than` seconds; returns how many.

        A worker killed between taking a task off the queue and noting that it has it loses the task, not the push.
        """
        now = time.time()
        with border():
            overdue = self._redis.zrangebyscore(keys.PUSHES_WAITING, "-inf", now - older_than, 0, limit)
            return sum(self._requeue(push_id, now) for push_id in cast("list[str]", overdue))

    def _requeue(self, push_id: str, now: float) -> bool:
        if not self._redis.exists(keys.push(push_id)):
            self._redis.zrem(keys.PUSHES_WAITING, push_id)
            return False
        pipe = self._redis.pipeline()
        pipe.zadd(keys.PUSHES_WAITING, {push_id: now})
        pipe.lpush(Queue.RECEIPTS, _task(push_id))
        pipe.execute()
        return True

    def keep(self, replies: Iterable[Reply]) -> None:
        """Append replies, each once, to the stream `sms:replies`, from which other programs may read them."""
        with border():
            for reply in replies:
                line = json.dumps({**asdict(reply), "phone": str(reply.phone)})
                self._keep(keys=[keys.reply(line), keys.REPLIES], args=[keys.PUSH_TTL, keys.MOST_REPLIES, line])


def _task(push_id: str) -> str:
    return seal(TaskName.RECEIVE, push_id, Queue.RECEIPTS, [push_id], {}, shown_args=repr((push_id,)))
