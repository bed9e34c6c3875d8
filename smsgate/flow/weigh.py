"""Have the weights of channels follow their health; docs/routing.md tells how."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from smsgate.ledger.channel_health import ChannelHealth
from smsgate.ledger.keys import HEALTH_SLICE
from smsgate.ledger.weights import Weights
from smsgate.routing.evidence import RECEIPTS
from smsgate.routing.health import Health
from smsgate.routing.observed import CALLS_WINDOW, RECEIPT_DUE, RECEIPTS_WINDOW, HealthRule, Observation
from smsgate.routing.pick import WELL
from smsgate.routing.traffic import Kind
from smsgate.routing.weights import State, step
from smsgate.routing.weights_json import dump, load

log = structlog.get_logger()

# Seconds after a step before which none is made: a run that comes late is soon followed by the one in time, and where
# two beats run there are two a second.
SOON: Final = 0.5
# All that is looked at, seconds.
WHOLE: Final = RECEIPT_DUE + RECEIPTS_WINDOW


@dataclass(frozen=True, slots=True)
class Weigh:
    """Step the weights of all channels once.

    `rule` is what is declared now. Times are Redis's own, in Unix seconds, unless `now` tells them.
    """

    health: ChannelHealth
    weights: Weights
    rule: Callable[[], HealthRule] = HealthRule
    now: Callable[[], float] | None = None

    def __call__(self) -> bool:
        """Say whether this moved the weights; not where another run has just done so, or does so meanwhile.

        Raises:
            StoreUnavailable: The next call makes up for it, up to `smsgate.routing.weights.LONGEST_STEP`.
        """
        rule = self.rule()
        if not rule.enabled:
            self.weights.clear()
            return False
        written, now = self.weights.read()
        now = now if self.now is None else self.now()
        before = load(written) if rule.receipts else load(written).without(RECEIPTS)
        if 0 <= now - before.at < SOON:
            return False
        seen = observations(self.health.slices(WHOLE, now), now, receipts=rule.receipts)
        after = step(before, seen, now)
        moved = self.weights.replace(written, dump(after), _factors(after))
        if moved:
            _tell(before, after)
        return moved


def observations(
    slices: Iterable[tuple[int, Mapping[Kind, Health]]], now: float, *, receipts: bool
) -> dict[Kind, Observation]:
    """Add slices up to what is seen at `now`; without `receipts` as if none were due.

    Windows are made of whole slices, and the one under way: of calls there are 5 to 10 s, of receipts 25. So evidence
    counts for a little less than it is, and comes a little later.
    """
    calls, sent = dict[Kind, Health](), dict[Kind, Health]()
    for began, slice_ in slices:
        if now - CALLS_WINDOW < began:
            _add(calls, slice_)
        elif receipts and now - WHOLE <= began <= now - RECEIPT_DUE - HEALTH_SLICE:
            _add(sent, slice_)
    return {kind: _observation(calls.get(kind, Health()), sent.get(kind, Health())) for kind in {*calls, *sent}}


def _add(total: dict[Kind, Health], slice_: Mapping[Kind, Health]) -> None:
    for kind, health in slice_.items():
        total.setdefault(kind, Health()).add(health)


def _observation(calls: Health, sent: Health) -> Observation:
    return Observation(
        ok=calls.ok,
        failed=calls.failed + calls.uncertain,
        latency_p50=_ms(calls.latency(0.5)),
        latency_p95=_ms(calls.latency(0.95)),
        due=sent.sent,
        received=sent.delivered + sent.undelivered,
        delivered=sent.delivered,
        receipt_delay_p50=_ms(sent.delay(0.5)),
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _factors(state: State) -> dict[Kind, float]:
    """Give every factor; that of a channel as a whole is for carriers of which nothing is known."""
    return {kind: health.factor for kinds in (state.wholes, state.pairs) for kind, health in kinds.items()}


def _tell(before: State, after: State) -> None:
    """Log what fell so far that it is passed over, and what has come back."""
    for kind in after.pairs:
        was, weight = before.factor(kind), after.factor(kind)
        if (was >= WELL) != (weight >= WELL):
            carrier, klass = kind.traffic.carrier, kind.traffic.klass
            told = {"channel": kind.channel, "carrier": carrier, "lanes": klass, "weight": round(weight, 2)}
            if weight < WELL:
                log.warning("channel_ill", **told)
            else:
                log.info("channel_well_again", **told)
