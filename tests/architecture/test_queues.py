"""Every queue has somebody who works on it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smsgate.message import Lane
from smsgate.queues import LANE_QUEUES, Queue, TaskName


@pytest.fixture(scope="module")
def processes(root: Path) -> dict[str, str]:
    lines = (root / "Procfile").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


@pytest.fixture(scope="module")
def workers(processes: dict[str, str]) -> dict[str, set[str]]:
    """The queues of each worker."""
    found = {name: re.search(r"\bworker\b.* -Q (\S+)", line) for name, line in processes.items()}
    return {name: set(queues[1].split(",")) for name, queues in found.items() if queues}


def test_every_queue_has_a_worker(workers: dict[str, set[str]]) -> None:
    assert set(Queue) - set.union(*workers.values()) == set()


def test_every_worker_has_queues_that_exist(workers: dict[str, set[str]]) -> None:
    assert {name: queues - set(Queue) for name, queues in workers.items() if queues - set(Queue)} == {}


def test_every_celery_worker_says_which_queues_it_works_on(
    processes: dict[str, str], workers: dict[str, set[str]]
) -> None:
    """Without -Q it would take the default queue, and a lane's messages with it."""
    assert {name for name, line in processes.items() if "celery" in line and " worker " in line} == workers.keys()


def test_an_urgent_message_never_waits_behind_a_bulk_one(workers: dict[str, set[str]]) -> None:
    """Each lane has a worker process that works on nothing else."""
    alone = [queues for queues in workers.values() if len(queues) == 1]
    assert [lane for lane in Lane if {LANE_QUEUES[lane]} not in alone] == []
    assert [queues for queues in workers.values() if len(queues & set(LANE_QUEUES.values())) > 1] == []


def test_workers_have_names_of_their_own(processes: dict[str, str], workers: dict[str, set[str]]) -> None:
    assert all(f" -n {name}@%h " in processes[name] for name in workers)


def test_the_readiness_of_every_worker_is_waited_for(workers: dict[str, set[str]], root: Path) -> None:
    named = re.search(r"_WORKERS: Final = frozenset\(\{(.+)\}\)", (root / "smsgate/local/ready.py").read_text())
    assert named
    assert set(re.findall(r'"(\w+)"', named[1])) == workers.keys()


@pytest.fixture(scope="module")
def tasks(ask: Callable[..., Any]) -> dict[str, str]:
    """Every task that a worker knows, with the queue to which it goes by itself."""
    return dict(
        ask("""
import json
from workers.app import app
app.loader.import_default_modules()
ours = [name for name in app.tasks if not name.startswith("celery.")]
print(json.dumps({name: app.amqp.router.route({}, name)["queue"].name for name in ours}))
""")
    )


def test_every_task_name_has_its_task_and_no_task_goes_by_another_name(tasks: dict[str, str]) -> None:
    assert tasks.keys() == set(TaskName)


def test_every_task_goes_to_a_queue_that_exists(tasks: dict[str, str]) -> None:
    assert set(tasks.values()) <= set(Queue)


def test_only_messages_go_to_the_lanes(tasks: dict[str, str]) -> None:
    assert {name for name, queue in tasks.items() if queue in set(LANE_QUEUES.values())} == {
        TaskName.SEND,
        TaskName.SEND_CHUNK,
    }


def test_what_beat_asks_for_exists(ask: Callable[..., Any]) -> None:
    asked = ask("""
import json
from workers.app import app
print(json.dumps([entry["task"] for entry in app.conf.beat_schedule.values()]))
""")
    assert asked
    assert set(asked) <= set(TaskName)
