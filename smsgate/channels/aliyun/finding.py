"""What a look at one thing found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `ok` with a `fix` is a warning."""

    check: str
    ok: bool
    detail: str
    fix: str = ""
