"""A worker's parts that hold messages back, put together once per process: by the level of degradation and by hand."""

from functools import cache

from smsgate.flow.degrade import Degrade
from smsgate.flow.return_aside import ReturnAside
from smsgate.ledger.aside import Aside
from smsgate.ledger.backlog import Backlog
from smsgate.ledger.connection import connect_patiently
from smsgate.ledger.degradations import Degradations
from smsgate.ledger.pauses import Pauses
from smsgate.settings import current
from workers import parts, ways


@cache
def aside() -> Aside:
    client = connect_patiently(current().redis_url)
    return Aside(client, Pauses(client))


@cache
def return_aside() -> ReturnAside:
    return ReturnAside(parts.records(), parts.schedule(), parts.groups(), aside())


@cache
def degrade() -> Degrade:
    """Build the chore that measures.

    Raises:
        SettingsError: The file that declares the rule is wrong.
    """
    client, file = connect_patiently(current().redis_url), ways.file()
    looks_at = Backlog(client), parts.lanes(), ways.ways(), ways.watch()
    return Degrade(Degradations(client), *looks_at, rule=lambda: file.current.degradation)
