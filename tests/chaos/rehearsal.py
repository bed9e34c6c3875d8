"""One scenario from start to verdict."""

import shutil
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos import clock
from tests.chaos.customers import Customers
from tests.chaos.disturbers import Disturber, Scene, heal
from tests.chaos.drain import Drained, drain, hand_out_late_tasks, read_all, read_batch
from tests.chaos.fleet import Conditions, Fleet, launch
from tests.chaos.orders import Order, orders
from tests.chaos.scenarios import Scenario
from tests.chaos.tally import BatchSeen
from tests.chaos.verdict import Seen, Verdict, judge
from tests.integration.nodes.janitor import Janitor

Say = Callable[[str], None]


class Unproven(RuntimeError):
    """The harness itself failed, so that nothing is proven."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to send, which share in batches, how fast, by which dice, and how long to wait for the last message."""

    messages: int = 2000
    in_batches: float = 0.5
    rate: float = 50.0
    seed: int = 1
    drain_deadline: float = 240.0


@dataclass(frozen=True, slots=True)
class Result:
    """A verdict, and what it took."""

    scenario: Scenario
    verdict: Verdict
    drained: Drained
    toll: Counter[str]
    answers: Counter[str]  # what clients were told, by status or kind of error
    endings: Counter[str]  # how calls ended at the provider
    late_tasks_done: bool
    slowest_stop: float  # seconds that a worker took to end on SIGTERM


def rehearse(scenario: Scenario, plan: Plan, say: Say) -> Result:
    """Start a gateway, drive messages through it while it is disturbed, and count.

    Its folder, with every process's log, is left where a promise was broken.

    Raises:
        Unproven: A disturber failed, or disturbed nothing.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{scenario.name}-"))
    say("starting")
    try:
        result = _perform_in(folder, scenario, plan, say)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if result.verdict.kept:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        say(f"the logs are in {folder}")
    return result


def _perform_in(folder: Path, scenario: Scenario, plan: Plan, say: Say) -> Result:
    with Janitor() as janitor, ExitStack() as stack:
        jumping = clock.JumpingClock.build(folder) if scenario.jumps and clock.can_be_built() else None
        conditions = Conditions(scenario.appendfsync, 3 * plan.messages + 1000, jumping)
        result = _perform(scenario, plan, launch(stack, folder, janitor, conditions), say)
    if scenario.disturbers and not result.toll:
        raise Unproven("nothing was disturbed; send more messages, or more slowly")
    return result


def _perform(scenario: Scenario, plan: Plan, fleet: Fleet, say: Say) -> Result:
    wanted = orders(plan.messages, Random(plan.seed), in_batches=plan.in_batches)
    seconds = scenario.drive or plan.messages / (plan.rate * scenario.pace)
    customers = Customers(fleet.port, fleet.key, wanted, seconds)
    scene = Scene(fleet, customers, threading.Event(), Random(plan.seed), Counter())
    _drive(scenario, plan, scene, say)
    scene.done["provider's faults"] += heal(fleet)
    drained = drain(fleet, list(customers.accepted.values()), plan.drain_deadline, say)
    late_tasks_done = hand_out_late_tasks(fleet)
    verdict = judge(_seen(fleet, wanted, customers, drained), no_doubt=scenario.no_doubt)
    endings = Counter(dict(_flat(fleet.sandbox.stats()["requests"]["by_action"])))
    return Result(
        scenario=scenario,
        verdict=verdict,
        drained=drained,
        toll=fleet.toll() + scene.done,
        answers=customers.answers,
        endings=endings,
        late_tasks_done=late_tasks_done,
        slowest_stop=max(worker.slowest_stop for worker in fleet.workers),
    )


def _drive(scenario: Scenario, plan: Plan, scene: Scene, say: Say) -> None:
    """Let customers and disturbers run until every message is accepted, and every disturber done."""
    broken: list[BaseException] = []
    threads = [
        threading.Thread(target=_disturb, args=(disturber, _own_dice(scene, plan.seed, number), broken), daemon=True)
        for number, disturber in enumerate(scenario.disturbers)
    ]
    try:
        scene.customers.start()
        for thread in threads:
            thread.start()
        _watch(scene, plan.messages, broken, say)
    finally:
        scene.stop.set()
        scene.customers.stop()
    for thread in threads:
        thread.join(120)
    if broken:
        raise Unproven(f"a disturber failed: {broken[0]!r}") from broken[0]


def _watch(scene: Scene, messages: int, broken: list[BaseException], say: Say) -> None:
    began = spoke = time.monotonic()
    while scene.customers.busy() and not broken:
        time.sleep(0.2)
        scene.fleet.tend()
        if time.monotonic() - spoke > 5:
            spoke = time.monotonic()
            say(f"driving: {len(scene.customers.accepted)} of {messages} accepted after {spoke - began:.0f} s")


def _own_dice(scene: Scene, seed: int, number: int) -> Scene:
    """Give a thread its own chance, which no other thread's speed can change."""
    return replace(scene, rng=Random(seed * 1000 + number))


def _disturb(disturber: Disturber, scene: Scene, broken: list[BaseException]) -> None:
    try:
        disturber(scene)
    except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
        broken.append(error)


def _flat(by_action: dict[str, dict[str, int]]) -> Iterator[tuple[str, int]]:
    for action, endings in by_action.items():
        for ending, times in endings.items():
            yield f"{action} {ending}", times


def _seen(fleet: Fleet, wanted: list[Order], customers: Customers, drained: Drained) -> Seen:
    """Gather the facts. What was open at the deadline counts as open: only our late tasks can have moved it since."""
    received: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for sms in fleet.sandbox.messages():
        received[sms["phone"].removeprefix("86")].append(sms)
    counts = fleet.sandbox.stats()["messages"]
    if counts["evicted"]:
        raise Unproven("the sandbox was too small to keep every message")
    reports = {**read_all(fleet, customers.accepted.values()), **drained.still_open}
    numbers = [number for order in wanted for number in order.wanted]
    batches = [_batch_seen(fleet, batch_id, order) for batch_id, order in customers.batches.items()]
    return Seen(numbers, customers.accepted, reports, received, batches)


def _batch_seen(fleet: Fleet, batch_id: str, order: Order) -> BatchSeen:
    good = [f"{batch_id}-{index}" for index, number in enumerate(order.numbers) if number in set(order.wanted)]
    told, rows = read_batch(fleet, batch_id, good)
    return BatchSeen(batch_id, len(order.numbers), len(order.numbers) - len(good), told, rows)
