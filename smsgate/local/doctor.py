"""`smsgate doctor`: look at everything that a message needs, and say what to do about what is missing."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import redis
from kombu.exceptions import OperationalError
from rich.console import Console
from rich.markup import escape

from smsgate.channels.aliyun import AliyunConfig
from smsgate.channels.aliyun.finding import Finding
from smsgate.channels.aliyun.preflight import check
from smsgate.errors import StoreUnavailable
from smsgate.ledger.connection import ANSWER_TIMEOUT, CONNECT_TIMEOUT
from smsgate.local.own_broker import no_broker, own_broker
from smsgate.local.standing import standing
from smsgate.parts import records_in
from smsgate.queues import Queue
from smsgate.settings import Settings
from workers.app import app

OLDEST_REDIS: Final = (6, 2)
# Seconds between this host's clock and the Redis host's before messages expire noticeably early or late.
SKEW: Final = 5.0


def examine(console: Console, settings: Settings, *, sign: str | None, template: str | None) -> int:
    """Print each finding; returns 1 when something has to be done before messages can go, else 0."""
    findings = [*_redis(settings), *_settings(settings), *_provider(settings, sign, template)]
    for finding in findings:
        mark = (
            "[green]ok  [/]" if finding.ok and not finding.fix else "[yellow]warn[/]" if finding.ok else "[red]FAIL[/]"
        )
        console.print(f"{mark} {finding.check:<13} {escape(finding.detail)}", highlight=False, soft_wrap=True)
        if finding.fix:
            console.print(f"     {'':<13} → {escape(finding.fix)}", highlight=False, soft_wrap=True)
    return int(any(not finding.ok for finding in findings))


def _redis(settings: Settings) -> list[Finding]:
    client = redis.Redis.from_url(
        settings.redis_url,
        decode_responses=True,
        socket_timeout=ANSWER_TIMEOUT,
        socket_connect_timeout=CONNECT_TIMEOUT,
    )
    try:
        known = client.info()
        server = [_version(known), _persistence(known), _eviction(known), _clock(client)]
        found, at_broker = own_broker(client, settings) if settings.has_own_broker else (no_broker(client), {})
        if all(one.ok for one in found):
            found += _queues(client, at_broker)
        return [*server, *found, *standing(client, records_in(client, settings))]
    except (redis.RedisError, StoreUnavailable) as error:
        fix = "start Redis, or set SMSGATE_REDIS_URL to the one that runs, with a user who may ask all this"
        return [Finding("redis", ok=False, detail=f"does not answer: {type(error).__name__}", fix=fix)]


def _version(known: dict[str, Any]) -> Finding:
    version = str(known["redis_version"])
    new_enough = tuple(map(int, version.split(".")[:2])) >= OLDEST_REDIS
    fix = "" if new_enough else "smsgate needs Redis 6.2 or newer, or Valkey"
    return Finding("redis", ok=new_enough, detail=f"answers, version {version}", fix=fix)


def _persistence(known: dict[str, Any]) -> Finding:
    on = bool(known.get("aof_enabled"))
    fix = "" if on else "set appendonly yes: without it a restart of Redis loses accepted messages"
    return Finding("persistence", ok=True, detail=f"append-only file {'on' if on else 'off'}", fix=fix)


def _eviction(known: dict[str, Any]) -> Finding:
    policy = str(known.get("maxmemory_policy", "unknown"))
    keeps = policy == "noeviction"
    fix = "" if keeps else "set maxmemory-policy noeviction: a full Redis must refuse messages, not forget them"
    return Finding("eviction", ok=keeps, detail=f"maxmemory-policy {policy}", fix=fix)


def _clock(client: redis.Redis) -> Finding:
    seconds, microseconds = client.time()
    skew = time.time() - (seconds + microseconds / 1e6)
    fix = "" if abs(skew) < SKEW else "run NTP on both hosts: messages would expire early or late"
    return Finding("redis clock", ok=True, detail=f"{abs(skew):.1f} s apart", fix=fix)


def _queues(client: redis.Redis, at_broker: Mapping[Queue, int]) -> Iterator[Finding]:
    try:
        answers = app.control.inspect(timeout=1.0).active_queues() or {}
    except OperationalError:
        answers = {}
    served = {queue["name"] for queues in answers.values() for queue in queues}
    for queue in Queue:
        waiting = int(client.llen(queue)) + at_broker.get(queue, 0)
        alone = queue not in served
        fix = f"start one: celery -A workers worker -Q {queue}" if alone else ""
        yield Finding(
            queue, ok=not alone, detail=f"{'no worker' if alone else 'has a worker'}, {waiting} waiting", fix=fix
        )


def _settings(settings: Settings) -> Iterator[Finding]:
    if settings.callback_secret:
        yield Finding("receipts", ok=True, detail="the callback secret is set")
        return
    fix = "set SMSGATE_CALLBACK_SECRET and give Aliyun the URL https://HOST/callbacks/aliyun/SECRET/sms-report"
    yield Finding("receipts", ok=True, detail="no callback secret: no receipt can come in", fix=fix)


def _provider(settings: Settings, sign: str | None, template: str | None) -> list[Finding]:
    config = AliyunConfig(endpoint=settings.aliyun_endpoint, protocol=settings.aliyun_protocol)
    given = sign or settings.sign
    found = check(config, given, template)
    if given is None:
        fix = "set SMSGATE_SIGN to a sign that Aliyun approved, or give one with each message"
        found.append(Finding("sign", ok=False, detail="SMSGATE_SIGN is not set", fix=fix))
    if template is None:
        fix = "name the one you send with: smsgate doctor --template SMS_…"
        found.append(Finding("template", ok=True, detail="none was given to check", fix=fix))
    return found
