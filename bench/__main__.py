"""Run scenarios: `python -m bench [--quick] [scenario …]`; without names all of them, half an hour."""

import argparse
import importlib
import sys
import time
from typing import Final

from bench.report import write

SCENARIOS: Final = ("accept", "deliver", "end_to_end", "peers", "cost")


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("scenario", nargs="*", help=f"of {', '.join(SCENARIOS)}")
    options.add_argument("--quick", action="store_true", help="a few minutes, to see that it works; writes no results")
    asked = options.parse_args()
    unknown = set(asked.scenario) - set(SCENARIOS)
    if unknown:
        options.error(f"no such scenario: {', '.join(sorted(unknown))}")
    failed = []
    for name in asked.scenario or SCENARIOS:
        began = time.monotonic()
        try:
            write(name, importlib.import_module(f"bench.{name}").run(quick=asked.quick), quick=asked.quick)
        except Exception as error:  # noqa: BLE001 - the others still have something to say
            print(f"{name} failed: {type(error).__name__}: {error}", file=sys.stderr)
            failed.append(name)
        print(f"({name} took {time.monotonic() - began:.0f} s)\n", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
