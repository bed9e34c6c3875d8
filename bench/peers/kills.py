"""What each queue leaves lying, or sends twice, when its worker is killed with messages in hand."""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from bench.gaps import Gaps
from bench.peers.contender import Contender, Field, Running, accepted, warm
from bench.system import redis_server, sandbox, until

_WARM: Final = 16
# A provider slow enough that every slot of the worker has a message in hand when it is killed.
LATENCY: Final = 50
# Where a queue lets one choose after how many seconds a dead worker's messages are taken again, it is this; the
# defaults are from one minute to an hour.
PATIENCE: Final = 30
KILLS: Final = 3
# Meanwhile a few messages more come in, as they would: taskiq looks for what is left over when it has taken something.
_GOES_ON: Final = (0.3, 0.6)
_MORE: Final = 8
_LONGEST: Final = 45.0
# So many are killed side by side: some stand still for long afterwards.
_AT_ONCE: Final = 3


@dataclass(frozen=True, slots=True)
class Toll:
    """Of `enqueued` messages, those that have not come to the provider, and those that came more than once."""

    enqueued: int
    missing: int
    twice: int


@dataclass(frozen=True, slots=True)
class _Scene:
    contender: Contender
    ground: Field
    enqueued: int
    killed_at: float


def tolls(contenders: Sequence[Contender], amount: int, wait: float, gaps: Gaps) -> dict[str, Toll]:
    """Kill each worker three times and start it again; count `wait` seconds after the last kill.

    The queues wait side by side for what comes of their dead, each on a Redis and a provider of its own.
    """
    with ExitStack() as stack:
        scenes = _scenes(stack, contenders, amount, gaps)
        print(f"  {wait:.0f} s for what the killed had in hand …", file=sys.stderr)
        for share in _GOES_ON:
            for scene in scenes:
                _sleep_until(scene.killed_at + wait * share)
                with gaps.allowed(f"{scene.contender.name}, after the kills"):
                    scene.contender.enqueue(scene.ground, _MORE)
        paid = {}
        for scene in scenes:
            _sleep_until(scene.killed_at + wait)
            with gaps.allowed(f"{scene.contender.name}, counted"):
                paid[scene.contender.name] = _toll(scene)
        return paid


def _scenes(stack: ExitStack, contenders: Sequence[Contender], amount: int, gaps: Gaps) -> list[_Scene]:
    """Set up and kill; those that enqueue from this process first, one after the other."""

    def scene(one: Contender) -> _Scene | None:
        return _scene(stack, one, amount, gaps)

    found = [scene(one) for one in contenders if one.from_here]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found += pool.map(scene, [one for one in contenders if not one.from_here])
    return [one for one in found if one]


def _scene(stack: ExitStack, contender: Contender, amount: int, gaps: Gaps) -> _Scene | None:
    """Keep what waits running until the others have waited too; what fails ends at once."""
    with gaps.allowed(f"{contender.name}, killed"), ExitStack() as mine:
        scene = _killed(mine, contender, amount)
        stack.push(mine.pop_all())
        return scene
    return None


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


def _killed(stack: ExitStack, contender: Contender, amount: int) -> _Scene:
    ground = Field(stack.enter_context(redis_server()), stack.enter_context(sandbox(LATENCY)), PATIENCE)
    amount = max(60, int(amount * contender.pace))
    for command in contender.beside(ground):
        stack.enter_context(Running(command))
    worker = stack.enter_context(Running(contender.worker(ground)))
    warm(contender, ground, worker, _WARM)
    contender.enqueue(ground, amount)
    for kill in range(1, KILLS + 1):
        _wait_for(ground, contender.name, _WARM + amount * kill // (KILLS + 1))
        worker.kill()
        killed_at = time.time()
        worker.start()
    return _Scene(contender, ground, _WARM + amount + _MORE * len(_GOES_ON), killed_at)


def _wait_for(ground: Field, name: str, goal: int) -> None:
    """Wait for so many; a queue that stands still after a kill is killed once more all the same."""
    try:
        until(lambda: accepted(ground.provider) >= goal, f"{name} goes on", _LONGEST, 0.005)
    except TimeoutError as error:
        print(f"  {error}", file=sys.stderr)


def _toll(scene: _Scene) -> Toll:
    phones = (one["phone"] for one in scene.ground.provider.messages())
    return Toll(scene.enqueued, *counted(phones, scene.enqueued))


def counted(phones: Iterable[str], enqueued: int) -> tuple[int, int]:
    """Count messages that did not come, and those beyond the first that came to a number."""
    times = Counter(phones)
    return enqueued - len(times), times.total() - len(times)
