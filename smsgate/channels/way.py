"""What the configs of channels have in common: where a provider is, and how long it may take."""

from typing import Annotated, Protocol

from pydantic import Field

# A host, with :port where needed; the protocol is told apart.
Endpoint = Annotated[str, Field(pattern=r"^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?$")]
# The name of an environment variable; a key itself, put here by mistake, is as a rule none.
VariableName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
# With the longest connect time a read time stays below the tasks' soft time limit of 30 s (celeryconfig.py).
ConnectTimeout = Annotated[int, Field(gt=0, le=10_000)]
ReadTimeout = Annotated[int, Field(gt=0, le=15_000)]
AnswerLimit = Annotated[int, Field(gt=0, le=25_000)]
PoolSize = Annotated[int, Field(ge=1, le=10_000)]


class Way(Protocol):
    """Where a provider is, and how long an answer of it may take."""

    @property
    def endpoint(self) -> str: ...
    @property
    def protocol(self) -> str: ...
    @property
    def pool_size(self) -> int: ...
    @property
    def answer_limit_ms(self) -> int: ...
