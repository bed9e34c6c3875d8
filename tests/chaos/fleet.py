"""The gateway as processes: its own Redis, provider, web, beat, and every worker of the Procfile."""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import redis

from smsgate.ledger.api_keys import ApiKeys
from smsgate.sandbox.process import SandboxProcess
from tests.chaos.clock import JumpingClock
from tests.chaos.member import Member
from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment, free_port
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.nodes.until import until
from tests.integration.nodes.web_node import WebNode, callback_url
from tests.integration.nodes.worker_node import WorkerNode

# What would take minutes and hours in production, made short enough to be waited for.
QUICK: Final = {
    "SMSGATE_SETTLING_SECONDS": "5",
    # Above the hard time limit of a task (celeryconfig.py): no living worker is still in the call by then.
    "SMSGATE_LEASE_SECONDS": "45",
    "SMSGATE_OVERDUE_SECONDS": "10",
    "SMSGATE_RECEIPT_TIMEOUT_HOURS": "0.005",
    "SMSGATE_ALIYUN_READ_TIMEOUT": "1.5",
    "SMSGATE_RETENTION_DAYS": "1",
    # As in production: notices and bulk messages leave together.
    "SMSGATE_GATHER_SECONDS": "2",
}
_START: Final = 60.0
_REDIS, _WEB, _BEAT = "redis", "web", "beat"


@dataclass(frozen=True, slots=True)
class Fleet:
    """A running gateway; `members` by the names of the Procfile's lines."""

    redis_node: RedisNode
    sandbox: SandboxProcess
    members: Mapping[str, Member]
    port: int
    key: str
    clock: JumpingClock | None

    @property
    def redis(self) -> redis.Redis:
        return self.redis_node.connect()

    @property
    def store(self) -> Member:
        return self.members[_REDIS]

    @property
    def web(self) -> Member:
        return self.members[_WEB]

    @property
    def workers(self) -> list[Member]:
        return [self.members[name] for name in procfile.worker_names()]

    def tend(self) -> None:
        """Start again whatever has ended by itself, as a supervisor does."""
        for member in self.members.values():
            member.tend()

    def toll(self) -> Counter[str]:
        """Count what was done to the processes, workers taken together."""
        workers = {member.name for member in self.workers}
        total: Counter[str] = Counter()
        for member in self.members.values():
            kind = "workers" if member.name in workers else member.name
            total.update({f"{kind} {what}": times for what, times in member.toll.items()})
        return total


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a scenario wants of its gateway: how Redis writes, how many SMS the provider keeps, whose clock jumps."""

    appendfsync: str
    capacity: int
    clock: JumpingClock | None


def launch(stack: ExitStack, folder: Path, janitor: Janitor, conditions: Conditions) -> Fleet:
    """Start every process and wait until all of them are ready; they end with the stack."""
    clock = conditions.clock
    store = RedisNode.start(folder, janitor, conditions.appendfsync)
    members = {_REDIS: _kept(stack, _REDIS, store.process)}
    until(store.ready, "Redis is ready", _START)
    key = ApiKeys(store.connect()).create("chaos")
    port = free_port()
    sandbox = stack.enter_context(_sandbox(port, conditions.capacity))
    environment = clean_environment(**{**worker_settings(store.url, sandbox, guarded=True), **QUICK})
    web = WebNode(environment, port, folder, janitor)
    members[_WEB] = _kept(stack, _WEB, web.start().process)
    timed = {**environment, **(clock.environment if clock else {})}
    workers = []
    for name in procfile.worker_names():
        workers.append(WorkerNode.start(name, procfile.line(name), timed, folder, janitor))
        members[name] = _kept(stack, name, workers[-1].process)
    beat = NodeProcess(_BEAT, procfile.line(_BEAT), timed, folder, janitor)
    beat.start()
    members[_BEAT] = _kept(stack, _BEAT, beat)
    web.wait_until_ready().session.close()
    for name, worker in zip(procfile.worker_names(), workers, strict=True):
        until(worker.ready, f"worker {name} is ready", _START)
    return Fleet(store, sandbox, members, port, key, clock)


def _kept(stack: ExitStack, name: str, process: NodeProcess) -> Member:
    member = Member(name, process)
    stack.callback(member.end)
    return member


def _sandbox(web_port: int, capacity: int) -> SandboxProcess:
    """Make a provider that keeps everything, and pushes until the web process is back."""
    return SandboxProcess(
        report_url=callback_url(web_port, "sms-report"),
        up_url=callback_url(web_port, "sms-up"),
        report_delay=0.5,
        retry_delays="0.5,1,2,4,8,16",
        capacity=capacity,
    )
