"""The one place where a worker's or a producer's parts are put together, once per process."""

from functools import cache
from typing import TYPE_CHECKING

from smsgate.errors import SettingsError
from smsgate.flow.submit import Submit
from smsgate.ledger.connection import connect_briefly, connect_patiently
from smsgate.ledger.pushes import Pushes
from smsgate.ledger.records import Records
from smsgate.settings import current, load

if TYPE_CHECKING:
    from smsgate.flow.deliver import Deliver
    from smsgate.flow.receive import Receive


@cache
def submit() -> Submit:
    """Build the producer's side; its caller waits, so it gives up early."""
    settings = current()
    return Submit(Records(connect_briefly(settings.redis_url), retention=settings.retention))


@cache
def records() -> Records:
    settings = current()
    return Records(connect_patiently(settings.redis_url), retention=settings.retention)


@cache
def pushes() -> Pushes:
    return Pushes(connect_patiently(current().redis_url))


@cache
def deliver() -> "Deliver":
    """Build the sender's side. Its imports bring the provider's SDK, so they wait until a process sends.

    Raises:
        SettingsError: There is no sign to send under.
    """
    from smsgate.channels.aliyun import AliyunChannel, AliyunConfig  # noqa: PLC0415 - see above
    from smsgate.flow.deliver import Deliver  # noqa: PLC0415 - see above

    settings = load("sign")
    if settings.sign is None:
        raise SettingsError("SMSGATE_SIGN is not set")
    config = AliyunConfig(
        endpoint=settings.aliyun_endpoint,
        protocol=settings.aliyun_protocol,
        connect_timeout_ms=int(settings.aliyun_connect_timeout * 1000),
        read_timeout_ms=int(settings.aliyun_read_timeout * 1000),
    )
    return Deliver(records(), AliyunChannel(config), settings.sign)


@cache
def receive() -> "Receive":
    from smsgate.flow.receive import Receive  # noqa: PLC0415 - producers do without

    return Receive(records(), pushes())
