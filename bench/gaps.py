"""What could not be measured: the rest of a scenario goes on, and its page says what is missing and why."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.system import ROOT

_LONGEST: Final = 160


class Gaps:
    """What has failed in one scenario, and why."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    @contextmanager
    def allowed(self, name: str) -> Iterator[None]:
        """Note what the block raises instead of letting one row end a scenario of many."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it was, the others still have something to say
            traceback.print_exc()
            print(f"  {name}: not measured", file=sys.stderr)
            self._reasons[name] = _brief(error)

    @property
    def note(self) -> str:
        """Tell what was not measured, or not as often as the others; nothing where all was."""
        if not self._reasons:
            return ""
        reasons = "; ".join(f"{name} ({reason})" for name, reason in self._reasons.items())
        return f"**Not measured, or not as often as the others: {reasons}.**"


def _brief(error: Exception) -> str:
    """Keep the first line, without the folder that this was run in."""
    first = next(iter(str(error).splitlines()), "").replace(f"{ROOT}/", "")
    return f"{type(error).__name__}: {first}"[:_LONGEST]
