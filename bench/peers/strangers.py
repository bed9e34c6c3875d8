"""The peers, as their documentation says that they are to be set up."""

import os
import subprocess
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bench.deliver import CONCURRENCY
from bench.peers.contender import Command, Contender, Field
from bench.peers.environments import programs
from bench.system import BIN

PROGRAMS: Final = Path(__file__).with_name("programs")
BATCHES: Final = "Celery, celery-batches"
_BLOCKS: Final = count(1)
_BLOCK: Final = 200_000
# Seconds for one to enqueue what it is given, its imports included.
_LONGEST: Final = 180


def strangers() -> list[Contender]:
    """Name every peer; one whose packages are missing is installed when it is started."""
    n = str(CONCURRENCY)
    dramatiq = ("dramatiq", "dramatiq_peer", "--processes", "1", "--threads", n)
    taskiq = ("taskiq", "worker", "taskiq_peer:broker", "--workers", "1", "--max-async-tasks", n)
    huey = ("huey_consumer", "huey_peer.huey", "--worker-type", "thread", "--workers", n)
    rq = ("rq", "worker-pool", "sms", "--num-workers", n)
    return [
        _peer("dramatiq", f"{n} threads", *dramatiq),
        _peer("taskiq", f"{n} coroutines", *taskiq, label="taskiq (taskiq-redis, streams)"),
        _peer("arq", f"{n} coroutines", "arq", "arq_peer.WorkerSettings", pace=0.3),
        _peer(
            *("arq", f"{n} coroutines", "arq", "arq_peer.WorkerSettings"),
            label="arq, poll_delay 0.005",
            more={"PEER_POLL_DELAY": "0.005"},
        ),
        _peer("huey", f"{n} threads", *huey),
        _peer("rq", f"{n} processes, a fork for each message", *rq, pace=0.2),
        _peer(
            "rq",
            f"{n} processes",
            *rq,
            *("--worker-class", "rq.worker.SimpleWorker"),
            label="rq, SimpleWorker",
        ),
        _raw_list(5, "reference design: LPUSH, BRPOP"),
        _raw_list(CONCURRENCY, f"LPUSH, BRPOP, {n} threads"),
        _peer(
            "celery",
            f"{n} processes",
            *("celery", "-A", "celery_peer", "worker", "--concurrency", n, "--loglevel", "INFO"),
            label="Celery, a plain task",
        ),
        _peer(
            "celery_batches",
            f"{n} processes, up to a hundred in a call",
            *("celery", "-A", "celery_batches_peer", "worker", "--concurrency", n, "--loglevel", "INFO"),
            label=BATCHES,
            pace=4,
        ),
    ]


def _peer(
    peer: str,
    side_by_side: str,
    *words: str,
    label: str = "",
    more: Mapping[str, str] = MappingProxyType({}),
    pace: float = 1,
) -> Contender:
    def worker(ground: Field) -> Command:
        return Command([str(_folder(peer) / words[0]), *words[1:]], _environment(ground, peer, more), PROGRAMS)

    def enqueue(ground: Field, amount: int) -> float:
        command = [str(_folder(peer) / "python"), "sms.py", f"{peer}_peer", str(next(_BLOCKS) * _BLOCK), str(amount)]
        environment = {**os.environ, **_environment(ground, peer, more)}
        said = subprocess.run(
            command, env=environment, cwd=PROGRAMS, capture_output=True, text=True, check=False, timeout=_LONGEST
        )
        if said.returncode:
            raise RuntimeError(f"{peer} cannot enqueue\n{said.stderr[-1000:]}")
        return float(said.stdout.split()[-1])

    return Contender(label or peer, side_by_side, worker, enqueue, pace=pace)


def _folder(peer: str) -> Path:
    return BIN if peer == "celery" else programs(peer)


def _environment(ground: Field, peer: str, more: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": f"{_folder(peer)}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(PROGRAMS),
        "PEER_REDIS": ground.redis_url,
        "PEER_ENDPOINT": ground.provider.endpoint,
        "PEER_THREADS": str(CONCURRENCY),
        "PEER_PATIENCE": str(ground.patience),
        "RQ_REDIS_URL": ground.redis_url,
        **more,
    }


def _raw_list(threads: int, label: str) -> Contender:
    return _peer(
        "raw_list", f"{threads} threads", "python", "raw_list_peer.py", label=label, more={"PEER_THREADS": str(threads)}
    )
