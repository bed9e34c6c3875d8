"""Limits, and steps behind them, as a test has them."""

from typing import Any

import redis

from smsgate.flow.admit import Admit
from smsgate.flow.clock import Clock, system_clock
from smsgate.flow.submit import Submit
from smsgate.flow.submit_batch import SubmitBatch
from smsgate.gates.quota import Limit, Table
from smsgate.ledger.batches import Batches
from smsgate.ledger.claims import Claims
from smsgate.ledger.groups import Groups
from smsgate.ledger.quotas import Quotas
from smsgate.ledger.records import Records
from smsgate.ledger.retention import Retention
from smsgate.message import Message
from tests.ledger.conftest import RETENTION


def limit(name: str, allow: str, *per: str, **more: Any) -> Limit:
    return Limit.model_validate({"name": name, "allow": allow, "per": per, **more})


def admit(store: redis.Redis, *limits: Limit, now: Clock = system_clock) -> Admit:
    return Admit(Table(limits), Quotas(store), "短信网关", now)


def submit(store: redis.Redis, *limits: Limit, now: Clock = system_clock) -> Submit:
    records = Records(store, retention=Retention(RETENTION))
    return Submit(records, now=now, claims=Claims(store), admit=admit(store, *limits, now=now))


def submit_batch(store: redis.Redis, *limits: Limit, now: Clock = system_clock) -> SubmitBatch:
    records = Records(store, retention=Retention(RETENTION))
    return SubmitBatch(records, Batches(store), Groups(store), now=now, admit=admit(store, *limits, now=now))


def message(to: str = "13800138000", **more: Any) -> Message:
    return Message.check({"to": to, "template": "T", **more})
