"""How many accepted messages a Redis takes with it that loses power: `python -m tests.chaos.power`.

SIGKILL loses nothing that Redis has written, because the machine's page cache has it. A power cut loses the cache too:
here the append-only file is cut back to what had been forced to the disk, and Redis is started on what is left.
"""

import os
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

import click

from smsgate.ledger import keys
from smsgate.ledger.api_keys import ApiKeys
from smsgate.message import MessageId
from tests.chaos.customers import Customers
from tests.chaos.orders import orders
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import clean_environment, free_port
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.nodes.until import until
from tests.integration.nodes.web_node import WebNode

_SOURCE: Final = Path(__file__).with_name("sync_shim.c")
_LENGTH: Final = struct.Struct("=q")


def cut(appendfsync: str, *, messages: int, seconds: float, rng: Random) -> tuple[int, int]:
    """Accept messages for a while, cut the power, start again; gives how many were accepted and how many are gone."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-power-"))
    try:
        with Janitor() as janitor, ExitStack() as stack:
            return _cut_in(folder, janitor, stack, appendfsync, _Load(messages, seconds, rng))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Load:
    """So many messages, over so many seconds, and when in the middle of it the power goes."""

    def __init__(self, messages: int, seconds: float, rng: Random) -> None:
        self.orders = orders(messages, rng)
        self.seconds = seconds
        self.cut_after = seconds * rng.uniform(0.5, 0.9)


def _cut_in(folder: Path, janitor: Janitor, stack: ExitStack, appendfsync: str, load: _Load) -> tuple[int, int]:
    shim, synced = _built(folder)
    node = RedisNode.start(folder, janitor, appendfsync, environment=clean_environment(**_settings(shim, synced)))
    stack.callback(node.teardown)
    until(node.ready, "Redis is ready")
    key = ApiKeys(node.connect()).create("power")
    web = WebNode(clean_environment(SMSGATE_REDIS_URL=node.url), free_port(), folder, janitor)
    stack.callback(web.end)
    web.start().wait_until_ready()
    customers = Customers(web.port, key, load.orders, load.seconds)
    customers.start()
    time.sleep(load.cut_after)
    node.process.kill()
    customers.stop()
    until(lambda: not customers.busy(), "every client has given up")
    _lose_what_was_not_synced(folder, synced)
    node.process.start()
    until(lambda: _loaded(node), "Redis has read what is left")
    store = node.connect()
    ids = list(customers.accepted.values())
    gone = [one for one in ids if not store.exists(keys.record(MessageId(one)))]
    return len(ids), len(gone)


def _built(folder: Path) -> tuple[Path, Path]:
    shim, synced = folder / "sync_shim.so", folder / "synced.length"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", str(shim), str(_SOURCE), "-ldl"], check=True)
    synced.write_bytes(_LENGTH.pack(0))
    return shim, synced


def _settings(shim: Path, synced: Path) -> Mapping[str, str]:
    return {"LD_PRELOAD": str(shim), "CHAOS_SYNCED": str(synced)}


def _lose_what_was_not_synced(folder: Path, synced: Path) -> None:
    (length,) = _LENGTH.unpack(synced.read_bytes())
    os.truncate(folder / "appendonly.aof", length)


def _loaded(node: RedisNode) -> bool:
    try:
        return not int(node.connect().info("persistence")["loading"])
    except Exception:  # noqa: BLE001 - it is not there yet, or says that it loads
        return False


@click.command()
@click.option("--messages", default=3000, show_default=True)
@click.option("--seconds", default=10.0, show_default=True)
@click.option("--times", default=5, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(messages: int, seconds: float, times: int, seed: int) -> None:
    """Cut the power some times with each way of writing, and print what was lost."""
    for appendfsync in ("everysec", "always"):
        found = [
            cut(appendfsync, messages=messages, seconds=seconds, rng=Random(seed + number)) for number in range(times)
        ]
        lost = [gone for _, gone in found]
        click.echo(
            f"appendfsync {appendfsync}: {times} power cuts at {messages / seconds:.0f} accepts/s: "
            f"lost {', '.join(map(str, lost))} of {', '.join(str(accepted) for accepted, _ in found)} accepted; "
            f"median {median(lost):.0f}"
        )


if __name__ == "__main__":
    main()
