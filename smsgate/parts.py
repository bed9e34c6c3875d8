"""The parts that every kind of process puts together from the settings: web, workers, producers and the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import redis

from smsgate.flow.door import Door
from smsgate.flow.gathering import Gathering
from smsgate.flow.submit import Submit
from smsgate.flow.submit_batch import SubmitBatch
from smsgate.ledger.batches import Batches
from smsgate.ledger.claims import Claims
from smsgate.ledger.degradations import Degradations
from smsgate.ledger.groups import Groups
from smsgate.ledger.keys import IDEMPOTENCY_TTL
from smsgate.ledger.record import Gathers
from smsgate.ledger.records import Records
from smsgate.ledger.retention import Retention
from smsgate.settings import Settings

if TYPE_CHECKING:
    from smsgate.flow.admit import Admit
    from smsgate.flow.hand_on import HandOn
    from smsgate.gates.quota import Limit
    from smsgate.ledger.strays import Strays


def records_in(client: redis.Redis, settings: Settings) -> Records:
    """Build the records of one Redis."""
    return Records(client, retention=Retention(settings.retention, settings.retention_by_state))


def declared_limits(settings: Settings) -> "Sequence[Limit]":
    """Give the limits at the door that the configuration declares; the one place where they come from.

    Raises:
        SettingsError: The file is wrong.
    """
    if settings.config is None:
        return ()
    from smsgate.config import read  # noqa: PLC0415 - without a file nothing of it is loaded

    return read(settings.config).limits


def declared_channels(settings: Settings) -> Sequence[str]:
    """Name the channels that the configuration declares now.

    Raises:
        SettingsError: The file is wrong.
    """
    if settings.config is None:
        return ("aliyun",)
    from smsgate.config import read  # noqa: PLC0415 - without a file nothing of it is loaded

    return [profile.name for profile in read(settings.config).channels]


def admit_in(client: redis.Redis, settings: Settings, limits: "Sequence[Limit] | None" = None) -> "Admit | None":
    """Build the limits at the door: those given, or those declared. Where there are none nothing of them is loaded."""
    limits = declared_limits(settings) if limits is None else limits
    if not limits:
        return None
    from smsgate.flow.admit import Admit  # noqa: PLC0415 - see above
    from smsgate.gates.quota import Table  # noqa: PLC0415 - likewise
    from smsgate.ledger.quotas import Quotas  # noqa: PLC0415 - likewise

    return Admit(Table(limits), Quotas(client), settings.sign or "")


def submit_to(client: redis.Redis, settings: Settings, limits: "Sequence[Limit] | None" = None) -> Submit:
    """Build the first step of the road, behind the limits given, or those declared."""
    return Submit(
        records_in(client, settings),
        gathering_in(client, settings),
        claims=Claims(client),
        admit=admit_in(client, settings, limits),
        door=Door(Degradations(client)),
    )


def submit_batch_to(client: redis.Redis, settings: Settings, limits: "Sequence[Limit] | None" = None) -> SubmitBatch:
    """Build the first step of the road for batches, behind the limits given, or those declared."""
    kept = min(settings.retention, *settings.retention_by_state.values(), IDEMPOTENCY_TTL)
    return SubmitBatch(
        records_in(client, settings),
        Batches(client),
        Groups(client),
        kept=kept if kept < IDEMPOTENCY_TTL else None,
        admit=admit_in(client, settings, limits),
        door=Door(Degradations(client)),
    )


def gathering_in(client: redis.Redis, settings: Settings) -> Gathering:
    """Read which messages leave together."""
    templates = settings.gather_by_template.items()
    return Gathering(
        Groups(client),
        _gathers(settings.gather_seconds, settings.gather_size),
        {template: _gathers(one.seconds, one.size) for template, one in templates},
    )


def _gathers(seconds: float, size: int) -> Gathers | None:
    return Gathers(size, int(seconds * 1000)) if seconds and size > 1 else None


def hand_on_in(client: redis.Redis, settings: Settings) -> "HandOn | None":
    """Build the way from the outbox to a broker of its own; None where Redis is the broker."""
    if not settings.has_own_broker:
        return None
    # Where there is no such broker nothing of it is loaded.
    from smsgate.broker.publisher import Publisher  # noqa: PLC0415 - see above
    from smsgate.flow.hand_on import HandOn  # noqa: PLC0415 - likewise
    from smsgate.ledger.outbox import Outbox  # noqa: PLC0415 - likewise

    def strays() -> "Strays":
        from smsgate.ledger.strays import Strays  # noqa: PLC0415 - likewise

        return Strays(client)

    return HandOn(Outbox(client), Publisher(settings.broker, settings.broker_options), strays)
