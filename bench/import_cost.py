"""What `import workers.tasks` costs a program that only calls `.delay()`, beside Celery alone.

Each row is the median of several fresh interpreters: seconds from the first import to the last, the memory that it
added, and how many modules it loaded. Run it in the environment that is to be measured: `python -m bench import_cost`.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from bench import figures
from bench.report import Report

RUNS: Final = 5
ROWS: Final = {
    "celery alone": "import celery; celery.Celery()",
    "workers.tasks": "import workers.tasks",
    "with the SDK": "import workers.tasks; from smsgate.channels.aliyun import send_sms",
}
PROGRAM: Final = """
import resource, sys, time
def resident():
    with open("/proc/self/statm") as known:
        return int(known.read().split()[1]) * resource.getpagesize()
before, modules, began = resident(), len(sys.modules), time.perf_counter()
{statement}
seconds = time.perf_counter() - began
import json
print(json.dumps([seconds, (resident() - before) / 2**20, len(sys.modules) - modules]))
"""


class Cost(NamedTuple):
    """Seconds, MiB and modules."""

    seconds: float
    memory: float
    modules: float


def measure(statement: str) -> Cost:
    """Import in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(statement=statement)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return Cost(*json.loads(done.stdout))


def median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


def run(*, quick: bool = False) -> Report:
    """Measure in turns, so that a busy moment of the machine falls on every row alike."""
    for statement in ROWS.values():
        measure(statement)  # compiles what is not compiled yet
    rounds = [{name: measure(statement) for name, statement in ROWS.items()} for _ in range(3 if quick else RUNS)]
    costs = {name: median([one[name] for one in rounds]) for name in ROWS}
    alone = costs["celery alone"]
    rows = [(name, *cost, f"{cost.seconds / alone.seconds:.2f}×") for name, cost in costs.items()]
    return Report(
        "What importing the producer costs",
        figures.table(("", "seconds", "MiB", "modules", "of celery alone"), rows),
    )


if __name__ == "__main__":
    print(run().text)
