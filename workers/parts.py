"""The one place where a worker's or a producer's parts are put together, once per process."""

from functools import cache
from typing import TYPE_CHECKING

from smsgate.flow.submit import Submit
from smsgate.flow.submit_batch import SubmitBatch
from smsgate.ledger.connection import connect_briefly, connect_patiently
from smsgate.ledger.pushes import Pushes
from smsgate.ledger.records import Records
from smsgate.parts import records_in, submit_batch_to, submit_to
from smsgate.settings import current
from workers import apart

if TYPE_CHECKING:
    from smsgate.flow.ask import Ask
    from smsgate.flow.brake import Brake
    from smsgate.flow.census import Census
    from smsgate.flow.deliver import Deliver
    from smsgate.flow.deliver_chunk import DeliverChunk
    from smsgate.flow.gather import Gather
    from smsgate.flow.inquire import Inquire
    from smsgate.flow.notify import Notify
    from smsgate.flow.patience import Patience
    from smsgate.flow.receive import Receive
    from smsgate.flow.release import Release
    from smsgate.flow.steer_batch import CancelRows
    from smsgate.flow.sweep import Sweep
    from smsgate.flow.wake import Wake
    from smsgate.flow.weigh import Weigh
    from smsgate.ledger.groups import Groups
    from smsgate.ledger.lanes import Lanes
    from smsgate.ledger.schedule import Schedule
    from smsgate.ledger.strays import Strays
    from smsgate.ledger.webhooks import Webhooks


@cache
def submit() -> Submit:
    """Build the producer's side; its caller waits, so it gives up early."""
    settings = current()
    return submit_to(connect_briefly(settings.redis_url), settings)


@cache
def submit_batch() -> SubmitBatch:
    """Build the producer's side for batches."""
    settings = current()
    return submit_batch_to(connect_briefly(settings.redis_url), settings)


@cache
def records() -> Records:
    settings = current()
    return records_in(connect_patiently(settings.redis_url), settings)


@cache
def pushes() -> Pushes:
    return Pushes(connect_patiently(current().redis_url))


# What follows only workers need; its imports wait until it is asked for, so that producers do without.


@cache
def schedule() -> "Schedule":
    from smsgate.ledger.schedule import Schedule  # noqa: PLC0415 - see above

    return Schedule(connect_patiently(current().redis_url))


@cache
def lanes() -> "Lanes":
    from smsgate.ledger.lanes import Lanes  # noqa: PLC0415 - see above

    return Lanes(connect_patiently(current().redis_url))


@cache
def brake() -> "Brake":
    from smsgate.flow.brake import Brake, BrakeRule  # noqa: PLC0415 - see above

    settings = current()
    rule = BrakeRule(settings.brake_share, settings.brake_least, probe=settings.brake_probe_seconds)
    return Brake(lanes(), rule)


@cache
def patience() -> "Patience":
    from smsgate.flow.patience import Patience  # noqa: PLC0415 - see above

    settings = current()
    return Patience(
        lease=settings.lease_seconds,
        overdue=settings.overdue_seconds,
        settling=settings.settling_seconds,
        receipt=settings.receipt_timeout_hours * 3600,
    )


@cache
def deliver() -> "Deliver":
    """Build the sender's side.

    Raises:
        SettingsError: There is no sign to send under.
    """
    from smsgate.flow.deliver import Deliver  # noqa: PLC0415 - see above
    from workers import holding, ways  # noqa: PLC0415 - likewise

    ways.insist_on_signs()
    return Deliver(records(), schedule(), brake(), ways.ways(), ways.carry(), patience(), aside=holding.aside())


@cache
def groups() -> "Groups":
    from smsgate.ledger.groups import Groups  # noqa: PLC0415 - see above

    return Groups(connect_patiently(current().redis_url))


@cache
def deliver_chunk() -> "DeliverChunk":
    """Build the sender's side for messages that leave together.

    Raises:
        SettingsError: There is no sign to send under.
    """
    from smsgate.flow.deliver_chunk import DeliverChunk  # noqa: PLC0415 - see above
    from workers import ways  # noqa: PLC0415 - likewise

    ways.insist_on_signs()
    return DeliverChunk(records(), groups(), brake(), ways.ways(), ways.carry(), patience())


@cache
def cancel_rows() -> "CancelRows":
    from smsgate.flow.steer_batch import CancelRows  # noqa: PLC0415 - see above
    from smsgate.ledger.batches import Batches  # noqa: PLC0415 - likewise

    return CancelRows(records(), Batches(connect_patiently(current().redis_url)))


@cache
def gather() -> "Gather":
    from smsgate.flow.gather import Gather  # noqa: PLC0415 - see above
    from workers import ways  # noqa: PLC0415 - likewise

    return Gather(groups(), lanes(), ways.ways())


@cache
def weigh() -> "Weigh":
    from smsgate.flow.weigh import Weigh  # noqa: PLC0415 - see above
    from smsgate.ledger.weights import Weights  # noqa: PLC0415 - likewise
    from workers import ways  # noqa: PLC0415 - likewise

    return Weigh(ways.health(), Weights(connect_briefly(current().redis_url)), ways.health_rule)


@cache
def ask() -> "Ask":
    from smsgate.flow.ask import Ask  # noqa: PLC0415 - see above
    from workers import ways  # noqa: PLC0415 - likewise

    return Ask(records(), schedule(), ways.ways(), ways.watch(), patience())


@cache
def wake() -> "Wake":
    from smsgate.flow.wake import Wake  # noqa: PLC0415 - see above

    return Wake(records(), schedule())


@cache
def inquire() -> "Inquire":
    from smsgate.flow.inquire import Inquire  # noqa: PLC0415 - see above

    return Inquire(schedule())


@cache
def sweep() -> "Sweep":
    from smsgate.flow.sweep import Sweep  # noqa: PLC0415 - see above

    return Sweep(records(), schedule(), patience(), marks=apart.marks() if current().has_own_broker else None)


@cache
def strays() -> "Strays":
    from smsgate.ledger.strays import Strays  # noqa: PLC0415 - see above

    return Strays(connect_briefly(current().redis_url))


@cache
def census() -> "Census":
    from smsgate.flow.census import Census  # noqa: PLC0415 - see above

    return Census(schedule())


@cache
def release() -> "Release":
    from smsgate.flow.release import Release  # noqa: PLC0415 - see above
    from workers import ways  # noqa: PLC0415 - likewise

    return Release(records(), schedule(), lanes(), brake(), ways.ways())


@cache
def receive() -> "Receive":
    from smsgate.flow.receive import Receive  # noqa: PLC0415 - see above
    from workers import ways  # noqa: PLC0415 - likewise

    return Receive(records(), groups(), pushes(), ways.watch())


@cache
def webhooks() -> "Webhooks":
    from smsgate.ledger.webhooks import Webhooks  # noqa: PLC0415 - see above

    return Webhooks(connect_patiently(current().redis_url))


@cache
def notify() -> "Notify":
    from smsgate.flow.notify import Notify  # noqa: PLC0415 - producers do without
    from smsgate.ledger.breakers import breaker_storage  # noqa: PLC0415 - likewise
    from smsgate.ledger.webhook_secrets import WebhookSecrets  # noqa: PLC0415 - likewise
    from smsgate.webhooks.breakers import Breakers  # noqa: PLC0415 - likewise
    from smsgate.webhooks.post import Post  # noqa: PLC0415 - likewise
    from smsgate.webhooks.signature import new_secret  # noqa: PLC0415 - likewise

    settings = current()
    breakers = Breakers(breaker_storage(connect_briefly(settings.redis_url)))
    secrets = WebhookSecrets(connect_patiently(settings.redis_url), new_secret)
    return Notify(records(), webhooks(), secrets, Post(breakers, settings.webhook_allow_private))
