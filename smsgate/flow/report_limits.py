"""What a reader is told of the limits at the door."""

from dataclasses import dataclass
from math import ceil
from typing import Any

from smsgate.flow.admit import Admit
from smsgate.flow.permits import Standing
from smsgate.gates.quota import Asked, Limit, Per
from smsgate.message import Lane
from smsgate.phone import Phone


@dataclass(frozen=True, slots=True)
class About:
    """What somebody wants to know about: what is None is left open."""

    client: str | None = None
    recipient: Phone | None = None
    template: str | None = None
    sign: str | None = None
    lane: Lane | None = None

    def knows(self, limit: Limit) -> bool:
        """Say whether enough is known to find what a limit has counted."""
        known = {
            Per.CLIENT: self.client,
            Per.RECIPIENT: self.recipient,
            Per.TEMPLATE: self.template,
            Per.SIGN: self.sign,
            Per.LANE: self.lane,
        }
        return all(known[per] is not None for per in limit.per)

    def asked(self) -> Asked:
        return Asked(self.client or "", self.lane or Lane.NOTICE, self.template or "", self.sign or "")


def report_limits(admit: Admit, about: About) -> list[dict[str, Any]]:
    """Lay out the limits that this may come under; and of those that it says enough for, what is used of them.

    Raises:
        StoreUnavailable: Redis is away or silent.
    """
    limits = [one for one in admit.table.limits if one.fits(about.client, about.lane, about.template)]
    found = admit.standings([one for one in limits if about.knows(one)], about.asked(), about.recipient or "")
    standings = {one.limit.name: one for one in found}
    return [{**_declared(limit), **_stands(standings.get(limit.name))} for limit in limits]


def _declared(limit: Limit) -> dict[str, Any]:
    narrowed: dict[str, Any] = {
        "lanes": sorted(limit.lanes) if limit.lanes != frozenset(Lane) else None,
        "templates": list(limit.templates) if limit.templates != ("*",) else None,
    }
    return {
        "name": limit.name,
        "per": [str(per) for per in Per if per in limit.per],
        "allow": str(limit.allow),
        "algorithm": str(limit.algorithm),
        "counts": str(limit.counts),
        **{name: value for name, value in narrowed.items() if value is not None},
    }


def _stands(standing: Standing | None) -> dict[str, Any]:
    if standing is None:
        return {}
    number = standing.limit.allow.number
    return {
        "used": number - standing.remaining,
        "remaining": standing.remaining,
        "reset": ceil(standing.lasts),
    }
