"""A wall clock that jumps, for the processes that are started with it and for nobody else."""

import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_SOURCE: Final = Path(__file__).with_name("clock_shim.c")
_OFFSET: Final = struct.Struct("=q")


def can_be_built() -> bool:
    """Say whether there is a gcc to build the shim with."""
    return shutil.which("gcc") is not None


@dataclass(frozen=True, slots=True)
class JumpingClock:
    """The shim, and the file through which its processes learn how far their clock is off."""

    shim: Path
    offset: Path

    @classmethod
    def build(cls, folder: Path) -> Self:
        """Compile the shim.

        Raises:
            CalledProcessError: gcc refused it; what it said is on stderr.
        """
        shim, offset = folder / "clock_shim.so", folder / "clock.offset"
        command = ["gcc", "-O2", "-shared", "-fPIC", "-o", str(shim), str(_SOURCE), "-ldl"]
        subprocess.run(command, check=True)
        offset.write_bytes(_OFFSET.pack(0))
        return cls(shim, offset)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to live by this clock."""
        return {"LD_PRELOAD": str(self.shim), "CHAOS_CLOCK": str(self.offset)}

    def set(self, seconds: int) -> None:
        """Put the clock so many seconds off the right time, at once."""
        with self.offset.open("r+b", buffering=0) as file:
            file.write(_OFFSET.pack(seconds))
