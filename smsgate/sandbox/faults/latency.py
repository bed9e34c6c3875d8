"""How long a slow answer takes: a fixed time or a distribution."""

from random import Random
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

# Longer than any client waits; a slip of the keyboard must not hold a connection for a day.
LONGEST_MS: Final = 120_000.0

Milliseconds = Annotated[float, Field(ge=0, le=LONGEST_MS, allow_inf_nan=False)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Uniform(_Shape):
    """Anything between two bounds, equally likely."""

    shape: Literal["uniform"]
    low_ms: Milliseconds
    high_ms: Milliseconds

    def draw(self, rng: Random) -> float:
        return rng.uniform(self.low_ms, self.high_ms)


class Normal(_Shape):
    """Around a mean; never below zero."""

    shape: Literal["normal"]
    mean_ms: Milliseconds
    deviation_ms: Milliseconds

    def draw(self, rng: Random) -> float:
        return rng.gauss(self.mean_ms, self.deviation_ms)


class LogNormal(_Shape):
    """Around a median with a long tail, as network services have it."""

    shape: Literal["lognormal"]
    median_ms: Annotated[float, Field(gt=0, le=LONGEST_MS)]
    sigma: Annotated[float, Field(gt=0, le=5)]

    def draw(self, rng: Random) -> float:
        return self.median_ms * rng.lognormvariate(0.0, self.sigma)


Distribution = Annotated[Uniform | Normal | LogNormal, Field(discriminator="shape")]


def bounded(milliseconds: float) -> float:
    """Keep a drawn time between zero and the longest one allowed."""
    return min(max(milliseconds, 0.0), LONGEST_MS)
