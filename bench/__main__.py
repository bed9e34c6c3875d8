"""Run scenarios: `python -m bench [--quick] [scenario …]`; without names all of them, about forty minutes."""

import argparse
import importlib
import signal
import sys
import time
import traceback
from typing import Final

from bench.report import CannotRun, Report, write

SCENARIOS: Final = (
    *("accept", "deliver", "end_to_end", "peers", "cost", "import_cost", "sandbox_rate"),
    *("outages", "throttled", "protection"),
)

# Seconds after which something hangs, and is given up; the longest scenario takes eighteen minutes.
_HANGS: Final = 1800.0
_HANGS_AGAIN: Final = 300.0


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("scenario", nargs="*", help=f"of {', '.join(SCENARIOS)}")
    options.add_argument("--quick", action="store_true", help="a few minutes, to see that it works; writes no results")
    asked = options.parse_args()
    unknown = set(asked.scenario) - set(SCENARIOS)
    if unknown:
        options.error(f"no such scenario: {', '.join(sorted(unknown))}")
    # So that what was started ends here too, as it does on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, _give_up)
    failed = [name for name in asked.scenario or SCENARIOS if not _ran(name, quick=asked.quick)]
    if failed:
        print(f"without some figures: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _ran(name: str, *, quick: bool) -> bool:
    """Run one scenario and say whether it has all its figures; where it cannot run the others go on."""
    print(f"{name} …", file=sys.stderr)
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, _HANGS, _HANGS_AGAIN)
    try:
        report: Report = importlib.import_module(f"bench.{name}").run(quick=quick)
        write(name, report, quick=quick)
    except CannotRun as error:
        print(f"{name} cannot run: {error}", file=sys.stderr)
        return False
    except Exception:  # noqa: BLE001 - the others still have something to say
        traceback.print_exc()
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(f"({name} took {time.monotonic() - began:.0f} s)\n", file=sys.stderr)
    return not report.gaps


def _give_up(*_: object) -> None:
    raise TimeoutError("it took too long")


if __name__ == "__main__":
    sys.exit(main())
