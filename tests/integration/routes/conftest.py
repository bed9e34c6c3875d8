"""A gateway with several ways to send: two providers of real processes, declared in a file that a test may change."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from smsgate.sandbox.process import SandboxProcess
from tests.integration.nodes.gateway import IMPATIENT, SIGN, Gateway, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import clean_environment
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.nodes.starting import sandbox_of, started, tended_by

# A database of the shared Redis; the other gateways' are named in tests/integration/conftest.py.
DATABASE = 9


@dataclass(frozen=True, slots=True)
class Routed:
    """A gateway that sends by `main`, and by `backup` where it must."""

    gateway: Gateway
    main: SandboxProcess
    backup: SandboxProcess
    file: Path

    def declare(self, *more: str, strategy: str = "priority") -> None:
        """Write the file."""
        self.file.write_text("\n".join([*self._channels(), _route(strategy), *more]), encoding="utf-8")

    def worker_log(self) -> str:
        worker = self.gateway.worker
        assert worker is not None
        return worker.every_log()

    def _channels(self) -> Iterator[str]:
        for name, sandbox in (("main", self.main), ("backup", self.backup)):
            yield f'[channels.{name}]\nsign = "{SIGN}"\n[channels.{name}.provider_options]'
            yield f'endpoint = "{sandbox.endpoint}"\nprotocol = "http"\nread_timeout_ms = 1500'


def _route(strategy: str) -> str:
    return f'[[routes]]\nchannels = ["main", "backup"]\nstrategy = "{strategy}"'


@pytest.fixture(scope="module")
def routed(redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor) -> Iterator[Routed]:
    folder = tmp_path_factory.mktemp("routed")
    with ExitStack() as stack:
        without = started(stack, redis_node, DATABASE, folder, janitor)
        backup = stack.enter_context(sandbox_of(without.web))
        file = folder / "smsgate.toml"
        Routed(without, without.sandbox, backup, file).declare()
        settings = {**worker_settings(without.redis_url, without.sandbox), **IMPATIENT, "SMSGATE_CONFIG": str(file)}
        environment = clean_environment(**settings, SMSGATE_OTP_CONCURRENCY="4")
        gateway = tended_by(without, environment, stack, folder, janitor)
        yield Routed(gateway, gateway.sandbox, backup, file)
