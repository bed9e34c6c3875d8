"""What can be asked for: one model a kind of fault, and in each whether the phone has the message."""

from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from smsgate.sandbox.faults.latency import Distribution, Milliseconds, bounded
from smsgate.sandbox.faults.match import Match
from smsgate.sandbox.inbox import Service

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Hold = Annotated[float, Field(gt=0, le=600)]


class _Fault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    match: Match = Match()
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    duration_seconds: Seconds | None = None

    @property
    def phone_receives(self) -> bool:
        """Whether the phone has the message although, or because, the fault struck."""
        return bool(getattr(self, "accepted", False))


class Latency(_Fault):
    """The message is taken at once, the answer comes late."""

    kind: Literal["latency"]
    ms: Milliseconds | None = None
    distribution: Distribution | None = None

    @model_validator(mode="after")
    def _require_one(self) -> "Latency":
        if (self.ms is None) == (self.distribution is None):
            raise ValueError("give either ms or distribution")
        return self

    @property
    def phone_receives(self) -> bool:
        return True

    def draw_ms(self, rng: Random) -> float:
        return bounded(self.distribution.draw(rng)) if self.distribution else self.ms or 0.0


class Throttle(_Fault):
    """HTTP 400 with a throttling code; `retry_after_ms` adds the x-acs-retry-after header.

    With `above` it strikes only the calls of a second (of the sandbox's clock) that are more than so many.
    """

    kind: Literal["throttle"]
    above: Annotated[int, Field(ge=1)] | None = None
    code: Literal["Throttling", "Throttling.User", "Throttling.Api"] = "Throttling.User"
    retry_after_ms: Annotated[int, Field(gt=0, le=3_600_000)] | None = None


class Refusal(_Fault):
    """HTTP 200 with a business code, such as isv.AMOUNT_NOT_ENOUGH."""

    kind: Literal["business_error"]
    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]{1,80}$")]
    message: str | None = None


class Unavailable(_Fault):
    """5xx with JSON; with `accepted`, the message went out all the same."""

    kind: Literal["unavailable"]
    status: Literal[500, 502, 503, 504] = 503
    code: Literal["ServiceUnavailable", "InternalError"] = "ServiceUnavailable"
    accepted: bool = False


class Html(_Fault):
    """A load balancer's HTML page in place of an answer; with `accepted`, the message went out all the same."""

    kind: Literal["html"]
    status: Literal[502, 503, 504] = 502
    accepted: bool = False


class Reset(_Fault):
    """The connection is reset (RST), before the message was taken or, with `accepted`, after."""

    kind: Literal["reset"]
    accepted: bool = False


class Hang(_Fault):
    """No answer for `seconds`, then a reset; with `accepted`, the timeout after which nobody knows."""

    kind: Literal["hang"]
    seconds: Hold = 60.0
    accepted: bool = False


class Drip(_Fault):
    """The message is taken; the answer comes byte by byte over `seconds`."""

    kind: Literal["drip"]
    seconds: Hold = 10.0
    accepted: ClassVar[bool] = True


class Outage(BaseModel):
    """Every action answers 503 for `seconds`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["outage"]
    seconds: Seconds
    service: Service | None = None

    def as_unavailable(self) -> Unavailable:
        match = Match(action="*", service=self.service)
        return Unavailable(kind="unavailable", match=match, duration_seconds=self.seconds)


class Refuse(BaseModel):
    """The listening socket is closed for `seconds`: connections are refused, open ones are reset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["refuse"]
    seconds: Annotated[float, Field(gt=0, le=600)]


class Undeliverable(_Fault):
    """The message is accepted, and the receipt says that the phone does not have it."""

    kind: Literal["undeliverable"]
    err_code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:]{1,80}$")] = "MOBILE_NOT_ON_SERVICE"


class _ReceiptFault(_Fault):
    accepted: ClassVar[bool] = True


class ReceiptLost(_ReceiptFault):
    """The receipt is not pushed; QuerySendDetails knows it unless `queryable` is false."""

    kind: Literal["receipt_lost"]
    queryable: bool = True


class ReceiptDoubled(_ReceiptFault):
    """The receipt is pushed `copies` times."""

    kind: Literal["receipt_doubled"]
    copies: Annotated[int, Field(ge=2, le=10)] = 2


class ReceiptDelayed(_ReceiptFault):
    """The receipt comes `seconds` later than it would."""

    kind: Literal["receipt_delayed"]
    seconds: Seconds


class ReceiptShuffled(_ReceiptFault):
    """Receipts come out of order: each up to `seconds` later, by chance."""

    kind: Literal["receipt_shuffled"]
    seconds: Seconds = 2.0


CallFault = Throttle | Refusal | Unavailable | Html | Reset | Hang | Drip
ReceiptFault = Undeliverable | ReceiptLost | ReceiptDoubled | ReceiptDelayed | ReceiptShuffled
Fault = Latency | CallFault | ReceiptFault
Asked = Annotated[Fault | Outage | Refuse, Field(discriminator="kind")]

ASKED: TypeAdapter[Fault | Outage | Refuse] = TypeAdapter(Asked)
