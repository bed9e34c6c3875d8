"""A Redis that answers, but with a refusal: the same worker goes on once it is over."""

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.nodes.gateway import Gateway
from tests.integration.nodes.outlasting import assert_same_worker_delivers
from tests.integration.nodes.until import until

pytestmark = pytest.mark.timeout(240)


def _require_password(client: redis.Redis) -> None:
    client.config_set("requirepass", "changed")
    # Redis asks those who are connected for nothing; ours must connect anew.
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def _let_in(client: redis.Redis) -> None:
    client.execute_command("AUTH", "changed")
    client.config_set("requirepass", "")


def _fail_to_save(client: redis.Redis) -> None:
    """Let a snapshot fail, after which Redis refuses to write and to answer a ping."""
    (Path(client.config_get("dir")["dir"]) / "dump.rdb" / "in the way").mkdir(parents=True)
    client.config_set("save", "3600 1000000")
    client.bgsave()
    until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "the snapshot has failed")


def _keep_busy(client: redis.Redis) -> None:
    client.config_set("lua-time-limit", 100)
    known = client.connection_pool.connection_kwargs
    threading.Thread(target=_run_endless_script, args=(known["host"], known["port"]), daemon=True).start()
    until(lambda: _is_busy(client), "Redis is busy")


def _run_endless_script(host: str, port: int) -> None:
    with contextlib.suppress(redis.RedisError):
        redis.Redis(host, port, socket_timeout=None).eval("while true do end", 0)


def _is_busy(client: redis.Redis) -> bool:
    try:
        return not client.ping()
    except redis.ResponseError:
        return True


# What makes Redis refuse, and what puts it right. READONLY is what the old primary answers after a failover.
REFUSALS: dict[str, tuple[Callable[[redis.Redis], Any], Callable[[redis.Redis], Any]]] = {
    "READONLY": (lambda client: client.replicaof("127.0.0.1", 1), lambda client: client.replicaof("NO", "ONE")),
    "NOAUTH": (_require_password, _let_in),
    "NOREPLICAS": (
        lambda client: client.config_set("min-replicas-to-write", 1),
        lambda client: client.config_set("min-replicas-to-write", 0),
    ),
    "MISCONF": (_fail_to_save, lambda client: client.config_set("stop-writes-on-bgsave-error", "no")),
    "BUSY": (_keep_busy, lambda client: client.script_kill()),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_worker_outlasts_a_redis_that_answers_with_a_refusal(own_gateway: Gateway, refusal: str) -> None:
    gateway = own_gateway
    gateway.until_state(gateway.send(), "delivered")
    gateway.until_idle()
    begin, end = REFUSALS[refusal]
    client = redis.Redis.from_url(gateway.redis_url, single_connection_client=True, decode_responses=True)
    client.ping()

    begin(client)
    time.sleep(5)
    end(client)

    assert_same_worker_delivers(gateway)
