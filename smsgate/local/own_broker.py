"""What `smsgate doctor` finds out about a broker that is not the Redis of the records."""

from collections.abc import Mapping
from typing import Final

import redis

from smsgate.broker.publisher import Publisher
from smsgate.channels.aliyun.finding import Finding
from smsgate.errors import BrokerUnavailable
from smsgate.ledger.connection import border, connect_briefly
from smsgate.ledger.outbox import Outbox
from smsgate.queues import Queue
from smsgate.settings import Settings
from smsgate.urls import is_redis

# Tasks in the outbox that are on their way; more of them wait for the broker.
_ON_THEIR_WAY: Final = 1_000


def own_broker(client: redis.Redis, settings: Settings) -> tuple[list[Finding], Mapping[Queue, int]]:
    """Look at the broker; says what it found, and how many tasks wait there as far as it answers.

    Raises:
        StoreUnavailable: The Redis of the records went away.
    """
    waiting = _outbox(Outbox(client))
    publisher = Publisher(settings.broker, settings.broker_options)
    try:
        counts = publisher.waiting_in(Queue)
    except BrokerUnavailable as error:
        fix = "start it, or set SMSGATE_BROKER_URL to the one that runs; what is accepted meanwhile waits in Redis"
        return [Finding("broker", ok=False, detail=str(error), fix=fix), waiting], {}
    finally:
        publisher.close()
    if is_redis(settings.broker) and _is_the_same(client, settings):
        fix = "unset SMSGATE_BROKER_URL: tasks would go round in a circle"
        return [Finding("broker", ok=False, detail="is the Redis of the records by another name", fix=fix)], {}
    return [_answers(publisher.shown, counts), waiting], counts


def no_broker(client: redis.Redis) -> list[Finding]:
    """Look for signs of a broker of which this process was told nothing: its workers would wait in the wrong place.

    Raises:
        StoreUnavailable: The Redis of the records went away.
    """
    if not Outbox(client).at_broker():
        return []
    detail = "other processes hand tasks on to a broker of their own; here SMSGATE_BROKER_URL is not set"
    fix = "set it for all alike, or for none: web, workers, beat, Flower, and programs that call .delay()"
    return [Finding("broker", ok=False, detail=detail, fix=fix)]


def _answers(shown: str, counts: Mapping[Queue, int]) -> Finding:
    closed = ", ".join(queue for queue in Queue if queue not in counts)
    if not closed:
        return Finding("broker", ok=True, detail=f"answers at {shown}")
    fix = "let us declare each as a durable queue without arguments, or delete it there so that we do"
    return Finding("broker", ok=False, detail=f"answers at {shown}, but not about {closed}", fix=fix)


def _outbox(outbox: Outbox) -> Finding:
    count = outbox.waiting()
    fix = "" if count < _ON_THEIR_WAY else "start beat (exactly one) and a worker for sms.chores, or mend the broker"
    return Finding("outbox", ok=True, detail=f"{count:,} tasks wait to be handed on", fix=fix)


def _is_the_same(client: redis.Redis, settings: Settings) -> bool:
    """Say whether both names lead to one database."""
    other = connect_briefly(settings.broker)
    with border():
        is_one_server = client.info("server")["run_id"] == other.info("server")["run_id"]
    numbers = (one.connection_pool.connection_kwargs.get("db", 0) for one in (client, other))
    return bool(is_one_server) and len(set(numbers)) == 1
