"""Who kills: each runs in a thread of its own during the drive, and stops before the drain."""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from itertools import count, cycle
from random import Random
from typing import Any, Final, Protocol

from smsgate.sandbox.process import SandboxFailed
from tests.chaos.customers import Customers
from tests.chaos.fleet import Fleet
from tests.chaos.member import STOP_PATIENCE

# While the provider refuses connections its control interface is away too.
_AWAY: Final = (OSError, HTTPException, SandboxFailed)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a disturber can reach, its dice, the sign to stop, and where it counts what it did."""

    fleet: Fleet
    customers: Customers
    stop: threading.Event
    rng: Random
    done: Counter[str]  # kills excepted: the members count those


class Disturber(Protocol):
    """Makes the gateway's life hard until it is told to stop."""

    def __call__(self, scene: Scene) -> None: ...


@dataclass(frozen=True, slots=True)
class KillWorkers:
    """SIGKILL a random worker: its whole group, or a single child of one that has a pool of processes.

    That is the worker of receipts and chores; the others have threads, which die only together.
    """

    every: float
    groups: float = 0.5  # the share of kills that take the whole group
    times: int | None = None

    def __call__(self, scene: Scene) -> None:
        for _ in count() if self.times is None else range(self.times):
            if scene.stop.wait(self.every):
                return
            whole, workers = scene.rng.random() < self.groups, scene.fleet.workers
            if whole:
                scene.rng.choice(workers).kill()
            elif pools := [worker for worker in workers if worker.has_children()]:
                scene.rng.choice(pools).kill_child(scene.rng)


@dataclass(frozen=True, slots=True)
class RestartWorkers:
    """SIGTERM one worker after the other, and start it again once it has ended."""

    every: float
    patience: float = STOP_PATIENCE

    def __call__(self, scene: Scene) -> None:
        for worker in cycle(scene.fleet.workers):
            if scene.stop.wait(self.every):
                return
            worker.restart(self.patience)


@dataclass(frozen=True, slots=True)
class KillRedis:
    """SIGKILL Redis, and start it again on what its append-only file holds."""

    every: float
    away: float = 0.5

    def __call__(self, scene: Scene) -> None:
        while not scene.stop.wait(self.every * scene.rng.uniform(0.5, 1.5)):
            scene.fleet.store.kill(self.away)


@dataclass(frozen=True, slots=True)
class KillWeb:
    """SIGKILL the web process while it has a request in hand."""

    every: float

    def __call__(self, scene: Scene) -> None:
        while not scene.stop.wait(self.every * scene.rng.uniform(0.5, 1.5)):
            waiting_until = time.monotonic() + 2.0
            while scene.customers.in_flight == 0 and time.monotonic() < waiting_until:
                time.sleep(0.0002)
            time.sleep(scene.rng.uniform(0.0, 0.003))
            scene.fleet.web.kill()


@dataclass(frozen=True, slots=True)
class JumpClock:
    """Put the workers' clock forward, right, back and right again."""

    every: float
    by: int = 90

    def __call__(self, scene: Scene) -> None:
        if scene.fleet.clock is None:
            return
        for offset in cycle((self.by, 0, -self.by, 0)):
            if scene.stop.wait(self.every):
                break
            scene.fleet.clock.set(offset)
            scene.done["clock jumps"] += 1
        scene.fleet.clock.set(0)


@dataclass(frozen=True, slots=True)
class BadDay:
    """Have the provider break calls and receipts by chance."""

    faults: tuple[Mapping[str, Any], ...]

    def __call__(self, scene: Scene) -> None:
        for fault in self.faults:
            # Seeded, so that the same calls in the same order meet the same fate.
            scene.fleet.sandbox.fault(**{**fault, "seed": scene.rng.randrange(2**31)})
        scene.stop.wait()


@dataclass(frozen=True, slots=True)
class Outage:
    """Take the provider away, once in each of these ways, each for `seconds`."""

    seconds: float
    kinds: tuple[str, ...]
    after: float = 3.0

    def __call__(self, scene: Scene) -> None:
        """Go through with it even when the drive is over: an outage does not look at the clients."""
        time.sleep(self.after)
        for kind in self.kinds:
            scene.fleet.sandbox.fault(kind=kind, seconds=self.seconds)
            scene.done["outages"] += 1
            time.sleep(self.seconds + 0.5)


def heal(fleet: Fleet, within: float = 60.0) -> int:
    """Take every fault away and put the clock right; gives how many calls and receipts were struck.

    Raises:
        SandboxFailed, OSError, HTTPException: The provider was not back in time.
    """
    if fleet.clock is not None:
        fleet.clock.set(0)
    deadline = time.monotonic() + within
    while True:
        try:
            posted = fleet.sandbox.stats()["faults"]
            # A late answer breaks nothing.
            struck = sum(int(fault["struck"]) for fault in posted if fault["kind"] != "latency")
            fleet.sandbox.clear_faults()
        except _AWAY:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return struck
