"""Gateways as tests start them: web process and sandbox, then whatever works them off."""

from contextlib import ExitStack
from pathlib import Path

from smsgate.ledger.api_keys import ApiKeys
from smsgate.sandbox.process import SandboxProcess
from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import QUEUES, Gateway
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment, free_port
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.nodes.until import until
from tests.integration.nodes.web_node import WebNode, callback_url
from tests.integration.nodes.worker_node import WorkerNode

# Seconds from the provider's acceptance to its receipt.
REPORT_DELAY = 0.15


def _sandbox(web_port: int) -> SandboxProcess:
    return SandboxProcess(
        report_url=callback_url(web_port, "sms-report"),
        up_url=callback_url(web_port, "sms-up"),
        report_delay=REPORT_DELAY,
        retry_delays="0.2,0.2,0.2",
    )


def sandbox_of(web: WebNode) -> SandboxProcess:
    """Make one more provider, which pushes its receipts to the same place."""
    return _sandbox(web.port)


def started(
    stack: ExitStack, redis_node: RedisNode, database: int, folder: Path, janitor: Janitor, **settings: str
) -> Gateway:
    """Start a gateway without workers."""
    port = free_port()
    sandbox = stack.enter_context(_sandbox(port))
    environment = clean_environment(**settings)
    web = WebNode({**environment, "SMSGATE_REDIS_URL": redis_node.database(database)}, port, folder, janitor).start()
    stack.callback(web.end)
    key = ApiKeys(redis_node.connect(database)).create("tests")
    return Gateway(redis_node, database, sandbox, web.wait_until_ready(), environment, folder, key)


def tended_by(
    without: Gateway, environment: dict[str, str], stack: ExitStack, folder: Path, janitor: Janitor
) -> Gateway:
    """Add one worker for every queue, and beat."""
    worker = WorkerNode.start("worker", procfile.worker_line(*QUEUES), environment, folder, janitor)
    stack.callback(worker.teardown)
    beat = NodeProcess("beat", procfile.line("beat"), environment, folder, janitor)
    beat.start()
    stack.callback(beat.end)
    until(worker.ready, "the worker is ready")
    return with_worker(without, worker)


def with_worker(gateway: Gateway, worker: WorkerNode) -> Gateway:
    return Gateway(
        gateway.redis_node,
        gateway.database,
        gateway.sandbox,
        gateway.web,
        gateway.environment,
        gateway.folder,
        gateway.key,
        worker,
    )
