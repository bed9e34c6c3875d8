"""A task that kills every process that takes it ends in an operator's hands, and its worker goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from smsgate.flow.patience import MOST_REDELIVERIES
from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import QUEUES, TEMPLATE, Gateway, fresh_phone, states, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import clean_environment
from tests.integration.nodes.until import until
from tests.integration.nodes.worker_node import WorkerNode


@pytest.fixture
def poisoned(bare_gateway: Gateway, tmp_path: Path, janitor: Janitor) -> Iterator[WorkerNode]:
    # With threads there is no process of a pool to kill: the worker itself dies, and what it held comes again later.
    command = procfile.worker_line(*QUEUES, pool="prefork")
    command[-1] += " --include poisoned_worker"
    settings = worker_settings(bare_gateway.redis_url, bare_gateway.sandbox)
    folder = str(Path(procfile.__file__).parent)
    environment = clean_environment(**settings, SMSGATE_OTP_CONCURRENCY="2", PYTHONPATH=folder)
    worker = WorkerNode.start("poisoned", command, environment, tmp_path, janitor)
    until(worker.ready, "the worker is ready")
    yield worker
    worker.teardown()


@pytest.mark.timeout(180)
def test_a_poisonous_message_is_a_dead_letter_after_a_few_deaths_and_its_worker_goes_on(
    bare_gateway: Gateway, poisoned: WorkerNode
) -> None:
    program = (
        "import sys\nfrom workers.tasks import send_sms\n"
        "send_sms.apply_async((sys.argv[1], sys.argv[2], {'code': '135790'}), {'lane': 'otp'}, task_id='poison-1')"
    )
    done = bare_gateway.python(program, fresh_phone(), TEMPLATE, SMSGATE_REDIS_URL=bare_gateway.redis_url)
    assert done.returncode == 0, done.stderr

    known = bare_gateway.until_state("poison-1", "dead", within=60)

    assert (known["reason"], states(known)) == ("poison", ["queued", "dead"])
    assert bare_gateway.redis.get("sms:deaths:poison-1") == str(MOST_REDELIVERIES + 1)
    bare_gateway.until_idle()
    bare_gateway.until_state(bare_gateway.send(), "delivered")
    assert poisoned.process.status == "running"


@pytest.mark.timeout(180)
def test_a_poisonous_task_that_is_no_message_of_ours_is_a_stray(bare_gateway: Gateway, poisoned: WorkerNode) -> None:
    with Celery("foreign", broker=bare_gateway.redis_url, set_as_current=False) as foreign:
        foreign.send_task("sms.receive", args=["push"], queue="sms.receipts", task_id="poison-2")
        foreign.send_task(
            "sms.send", args=[fresh_phone(), TEMPLATE, {"code": "1"}], queue="sms.otp", task_id="poison-3"
        )

    def strays() -> dict[str, str]:
        found = [bare_gateway.redis.hgetall(key) for key in bare_gateway.redis.keys("sms:stray:*")]
        return {stray["task_id"]: stray["reason"] for stray in found}

    until(lambda: len(strays()) == 2, "both are strays", within=60)
    assert strays() == {"poison-2": "poison", "poison-3": "poison"}
    bare_gateway.until_idle()
    bare_gateway.until_state(bare_gateway.send(), "delivered")
