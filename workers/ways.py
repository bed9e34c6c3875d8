"""A worker's ways to the providers, put together once per process."""

from functools import cache

from smsgate.config_file import ConfigFile
from smsgate.errors import SettingsError
from smsgate.flow.carry import Carry
from smsgate.flow.watch import Watch
from smsgate.flow.ways import Ways
from smsgate.ledger.channel_health import ChannelHealth
from smsgate.ledger.channel_states import ChannelStates
from smsgate.ledger.connection import connect_briefly, connect_patiently
from smsgate.ledger.detours import Detours
from smsgate.ledger.pacing import Pacer
from smsgate.ledger.provider_ids import ProviderIds
from smsgate.network import ways_in
from smsgate.routing.observed import HealthRule
from smsgate.settings import current, load
from workers import parts


@cache
def file() -> ConfigFile:
    """Read what is declared.

    Raises:
        SettingsError: The file is wrong.
    """
    return ConfigFile(current())


@cache
def watch() -> Watch:
    """Build the watch over the channels; while Redis is away it decides alone, and should find that out early."""
    client, rule = connect_briefly(current().redis_url), file().current.breaker
    return Watch(ChannelStates(client, rule), health(), rule)


@cache
def health() -> ChannelHealth:
    return ChannelHealth(connect_briefly(current().redis_url), file().current.breaker)


def health_rule() -> HealthRule:
    """Give what is declared now: whoever looks at the ways looks at the file."""
    _ = ways().network
    return file().current.health


@cache
def ways() -> Ways:
    """Build the ways to the providers; their SDKs come with the first call.

    Raises:
        SettingsError: The file that declares them is wrong.
    """
    return ways_in(file(), watch())


@cache
def carry() -> Carry:
    client = connect_patiently(current().redis_url)
    return Carry(Detours(client), watch(), Pacer(client), ProviderIds(client), parts.patience())


def insist_on_signs() -> None:
    """Refuse to send where messages that bring no sign would go out without one.

    Raises:
        SettingsError: It names every channel without one.
    """
    if current().config is None:
        load("sign")
        return
    without = [way.name for way in ways().network.ways.values() if not way.profile.sign]
    if without:
        fix = "is not set, for messages that bring none; SMSGATE_SIGN is for those of Aliyun"
        raise SettingsError("\n".join(f"channels.{name}.sign: {fix}" for name in without))
