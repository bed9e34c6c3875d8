"""A Celery worker as the Procfile starts it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from pytest_celery import CeleryWorkerContainer

from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess


class WorkerNode(CeleryWorkerContainer):
    """`celery -A workers worker …` in a process group of its own."""

    @classmethod
    def start(
        cls, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path, janitor: Janitor
    ) -> Self:
        node = cls(NodeProcess(name, command, environment, folder, janitor))
        node._container.start()
        return node

    @property
    def process(self) -> NodeProcess:
        process: NodeProcess = self._container
        return process

    def every_log(self) -> str:
        """Read the output of all its runs."""
        log: bytes = self._container.every_log()
        return log.decode()

    def runs(self) -> bool:
        """Say whether the process that was started last still runs; nothing starts it again by itself."""
        return bool(self._container.status == "running")

    def wait(self, timeout: float) -> int:
        """Wait until it has ended by itself; gives its exit status."""
        status: int = self._container.wait(timeout)
        return status

    def teardown(self) -> None:
        self._container.end()
