"""What operators run: the Procfile's processes, `celery inspect`, the `smsgate` command."""

import json
import re
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from smsgate.ledger.api_keys import TRUST
from smsgate.queues import Queue
from tests.integration.nodes import procfile
from tests.integration.nodes.gateway import Gateway, fresh_phone, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment
from tests.integration.nodes.until import until
from tests.integration.nodes.worker_node import WorkerNode


def _queues(command: str) -> set[str]:
    found = re.search(r" -Q (\S+)", command)
    return set(found[1].split(",")) if found else set()


def test_every_queue_has_a_process_of_the_procfile_and_each_lane_its_own() -> None:
    served = {name: _queues(command) for name, command in procfile.commands().items()}

    assert set.union(*served.values()) == {queue.value for queue in Queue}
    for queue in (Queue.OTP, Queue.NOTICE, Queue.BULK):
        assert {queue.value} in served.values()


@pytest.mark.timeout(180)
def test_the_procfiles_workers_and_beat_start_and_serve_their_queues(
    resting: Gateway, tmp_path: Path, janitor: Janitor
) -> None:
    workers = {name: _queues(command) for name, command in procfile.commands().items() if _queues(command)}
    few = {f"SMSGATE_{name.upper()}_CONCURRENCY": "1" for name in workers}
    url = resting.redis_node.database(5)
    environment = clean_environment(**worker_settings(url, resting.sandbox), **few)
    with ExitStack() as stack:
        for name in workers:
            node = WorkerNode.start(name, procfile.line(name), environment, tmp_path, janitor)
            stack.callback(node.teardown)
        beat = NodeProcess("beat", procfile.line("beat"), environment, tmp_path, janitor)
        beat.start()
        stack.callback(beat.end)

        def inspect(what: str) -> dict[str, object]:
            done = resting.run("celery", "-A", "workers", "inspect", what, "--json", SMSGATE_REDIS_URL=url)
            answers = json.loads(done.stdout) if done.returncode == 0 else {}
            named = {node.partition("@")[0]: answer for node, answer in answers.items()}
            return named if set(named) == set(workers) else {}

        serving = until(lambda: inspect("active_queues"), "every worker tells its queues", within=60)
        pings = inspect("ping")
        until(lambda: b"beat: Starting" in beat.logs(), "beat has started")
        assert beat.status == "running"

    assert {name: {queue["name"] for queue in queues} for name, queues in serving.items()} == workers
    assert pings == {name: {"ok": "pong"} for name in workers}


def test_celery_inspect_finds_the_shared_worker(gateway: Gateway) -> None:
    done = gateway.run("celery", "-A", "workers", "inspect", "ping", SMSGATE_REDIS_URL=gateway.redis_url)

    assert done.returncode == 0, done.stderr
    assert "pong" in done.stdout


def test_celery_call_sends_a_message(gateway: Gateway) -> None:
    phone = fresh_phone()
    args = json.dumps([phone, "SMS_154950909", {"code": "135790"}])

    done = gateway.run(
        *("celery", "-A", "workers", "call", "sms.send", "--args", args, "--queue", "sms.otp"),
        SMSGATE_REDIS_URL=gateway.redis_url,
    )

    assert done.returncode == 0, done.stderr
    gateway.until_state(done.stdout.split()[-1], "delivered")


def test_smsgate_send_wait_prints_the_way_of_the_message(gateway: Gateway) -> None:
    phone = fresh_phone()

    done = gateway.run(
        *("smsgate", "send", phone, "SMS_154950909", "code=135790", "--lane", "otp", "--wait"),
        SMSGATE_REDIS_URL=gateway.redis_url,
    )

    assert done.returncode == 0, done.stderr
    message_id = done.stdout.splitlines()[0]
    for word in ("queued", "sending", "sent", "delivered"):
        assert word in done.stdout
    assert phone not in done.stdout
    assert [sms["out_id"] for sms in gateway.sandbox.messages(phone=phone)] == [message_id]
    shown = gateway.run("smsgate", "show", message_id, SMSGATE_REDIS_URL=gateway.redis_url)
    assert "delivered" in shown.stdout
    assert phone not in shown.stdout


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["send", "12345", "SMS_1"], 1, "to: "),
        (["send", "13800138000", "SMS_1", "--valid-for", "0"], 1, "valid_for: "),
        (["send", "13800138000", "SMS_1", "code"], 2, "NAME=VALUE"),
        (["show", "no-such-message"], 1, "no-such-message"),
        (["keys", "revoke", "00000000"], 1, "smsgate keys list"),
        (["keys", "create", "a client"], 1, "CLIENT"),
    ],
)
def test_the_command_names_what_is_wrong_and_shows_no_traceback(
    resting: Gateway, words: list[str], status: int, told: str
) -> None:
    done = resting.run("smsgate", *words, SMSGATE_REDIS_URL=resting.redis_url)

    assert done.returncode == status
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_says_when_redis_is_away(resting: Gateway) -> None:
    done = resting.run("smsgate", "send", "13800138000", "SMS_1", SMSGATE_REDIS_URL="redis://127.0.0.1:1/0")

    assert done.returncode == 1
    assert "SMSGATE_REDIS_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_is_made_listed_used_and_revoked(gateway: Gateway) -> None:
    url, client = gateway.redis_url, f"shop-{uuid4().hex[:6]}"

    key = gateway.run("smsgate", "keys", "create", client, SMSGATE_REDIS_URL=url).stdout.strip()
    key_id, secret = key.split("_", 2)[1:]
    listed = gateway.run("smsgate", "keys", "list", SMSGATE_REDIS_URL=url).stdout
    used = gateway.web.ask("GET", "/v1/messages/none", key).status_code
    revoked = gateway.run("smsgate", "keys", "revoke", key_id, SMSGATE_REDIS_URL=url)

    assert key_id in listed
    assert client in listed
    assert secret not in listed
    assert used == 404
    assert revoked.returncode == 0
    assert client not in gateway.run("smsgate", "keys", "list", SMSGATE_REDIS_URL=url).stdout
    assert secret not in json.dumps(gateway.redis.hgetall("sms:keys"))
    until(
        lambda: gateway.web.ask("GET", "/v1/messages/none", key).status_code == 401,
        "the revoked key is refused",
        within=TRUST + 2,
    )


def test_what_celerys_own_tool_revokes_is_cancelled_and_not_sent_again(tended: Gateway) -> None:
    """To the sweep it would be a message whose task was lost."""
    at = datetime.fromtimestamp(time.time() + 4, UTC).isoformat()
    message_id = tended.send(send_at=at)
    done = tended.run("celery", "-A", "workers", "control", "revoke", message_id, SMSGATE_REDIS_URL=tended.redis_url)
    assert done.returncode == 0, done.stderr
    assert tended.until_state(message_id, "cancelled", within=30)["reason"] == "revoked"
    assert tended.received(message_id) == []


def test_what_workers_answer_to_an_inspection_leaves_nothing_behind(own_gateway: Gateway) -> None:
    """Nobody acknowledges such an answer, and it comes by the connections by which tasks are published."""
    program = "from workers.app import app; assert app.control.inspect(timeout=5, limit=1).ping()"
    done = own_gateway.python(program, SMSGATE_REDIS_URL=own_gateway.redis_url)
    assert done.returncode == 0, done.stderr
    held = [json.loads(entry)[0]["properties"]["delivery_info"] for entry in own_gateway.redis.hvals("unacked")]
    assert [one for one in held if one["exchange"] == "reply.celery.pidbox"] == []
