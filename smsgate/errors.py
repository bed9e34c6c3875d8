"""Every error that smsgate raises, as one tree.

SmsgateError
├── InvalidMessage          the caller's message breaks a rule; names each field (also a ValueError)
├── IdempotencyConflict     the same idempotency key came with another message
├── BatchClosed             a batch was called back and takes no more rows
├── UploadBroken            the rows of a batch could not be read to their end (smsgate.flow.submit_batch)
├── LimitExceeded           a limit at the door lets no more through for now; names it, and when it frees
├── Degraded                the gateway is degraded, and does not take this for now; names the level
├── StoreUnavailable        Redis cannot be reached, does not answer or refuses to write
├── BrokerUnavailable       a broker of its own cannot be reached or refuses; what was to go there waits in Redis
├── RetryLater              an attempt surely did not send; raised for Celery's autoretry
├── UnusablePush            what came in as a provider's push is none (smsgate.channels.pushed)
├── Problem                 a refusal on its way to an HTTP client (smsgate.http.problems)
├── NotReady                a process of `smsgate up` did not start (smsgate.local.ready)
└── SettingsError           the environment has gaps or mistakes; names every one

None of them carries a phone number, a parameter or a key in its text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


class SmsgateError(Exception):
    """Anything smsgate raises on purpose."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, and how to put it right."""

    field: str
    message: str


class InvalidMessage(SmsgateError, ValueError):
    """The message breaks a rule; `errors` names each field and the fix."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in self.errors))

    def __reduce__(self) -> tuple[type["InvalidMessage"], tuple[tuple[FieldError, ...]]]:
        return type(self), (self.errors,)


class IdempotencyConflict(SmsgateError):
    """This idempotency key has been used with another message."""


class BatchClosed(SmsgateError):
    """The batch was called back and takes no more rows."""


class LimitExceeded(SmsgateError):
    """A limit at the door lets no more through for now; nothing was accepted.

    `limit` is its name, `per` what it counts apart (never for whom), `allow` what it lets through (`5/hour`), `quota`
    and `window` the same in numbers and seconds, and `frees_in` the seconds until it lets one more through.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what its caller is told
        self, limit: str, per: Sequence[str], allow: str, quota: int, window: int, frees_in: float
    ) -> None:
        self.limit, self.per, self.allow, self.quota, self.window = limit, tuple(per), allow, quota, window
        self.frees_in = frees_in
        super().__init__(limit, per, allow, quota, window, frees_in)

    @property
    def wait(self) -> int:
        """Whole seconds after which it lets one more through, rounded up."""
        return max(1, ceil(self.frees_in))

    @property
    def told(self) -> str:
        """Say what is used up, and until when."""
        whom = f" for each {' and '.join(self.per)}" if self.per else " for all together"
        return f"{self.allow}{whom} is used up; it frees in {self.wait} s"

    def __str__(self) -> str:
        return f"limit {self.limit}: {self.told}"


class Degraded(SmsgateError):
    """The gateway is degraded and does not take this for now; nothing was accepted.

    `level` and `name` say how far (docs/degradation.md), `what` is not taken, and `wait` is the seconds after which it
    may be tried again.
    """

    def __init__(self, level: int, name: str, what: str, wait: float) -> None:
        self.level, self.name, self.what = level, name, what
        self.wait = max(1, ceil(wait))
        super().__init__(level, name, what, wait)

    def __str__(self) -> str:
        return f"level {self.level} {self.name}: {self.what} are not taken now; try again in {self.wait} s"


class StoreUnavailable(SmsgateError):
    """Redis cannot be reached, does not answer or refuses to write.

    What was asked is done whole or not at all. Where the answer was lost it may have been done: repeat it under the
    same id or idempotency key.
    """


class BrokerUnavailable(SmsgateError):
    """The broker cannot be reached, or refuses; what was to go there may have arrived, and waits to go again."""


class RetryLater(SmsgateError):
    """The attempt surely did not send and may be tried again, after `wait` seconds where the provider named them.

    `used` counts the attempts so far, this one included.
    """

    def __init__(self, reason: str, wait: float | None = None, used: int = 1) -> None:
        self.reason = reason
        self.wait = wait
        self.used = used
        super().__init__(reason, wait, used)

    def __str__(self) -> str:
        return self.reason


class SettingsError(SmsgateError):
    """The settings have gaps or mistakes; the text names every one and the fix."""
