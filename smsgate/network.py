"""From what is declared to the channels themselves."""

from collections.abc import Callable, Mapping

import structlog

from smsgate.channels import registry
from smsgate.channels.channel import Channel
from smsgate.config import Config
from smsgate.config_file import ConfigFile
from smsgate.errors import SettingsError
from smsgate.flow.watch import Watch
from smsgate.flow.ways import Network, Way, Ways
from smsgate.routing.profile import Profile

log = structlog.get_logger()


def network_of(config: Config, known: Mapping[str, Way] | None = None) -> Network:
    """Build every channel that is declared; one that is `known`, and declared as before, is taken over.

    Raises:
        SettingsError: The options of some are wrong; it names every one.
    """
    ways, wrong = [], []
    for profile in config.channels:
        try:
            ways.append(Way(_channel(profile, known or {}), profile))
        except SettingsError as error:
            wrong.append(str(error))
    if wrong:
        raise SettingsError("\n".join(wrong))
    return Network.of(ways, config.routes)


def _channel(profile: Profile, known: Mapping[str, Way]) -> Channel:
    before = known.get(profile.name)
    is_same = before is not None and (before.profile.provider, before.profile.provider_options) == (
        profile.provider,
        profile.provider_options,
    )
    return (
        before.channel
        if before and is_same
        else registry.build(profile.provider, profile.name, profile.provider_options)
    )


def ways_in(file: ConfigFile, watch: Watch) -> Ways:
    """Build the ways that a file declares; they change with it.

    Raises:
        SettingsError: The options of some channels are wrong.
    """
    network = network_of(file.current)
    return Ways(network, watch, _renewal(file, network))


def _renewal(file: ConfigFile, network: Network) -> Callable[[], Network | None]:
    latest = [network]

    def renewed() -> Network | None:
        config = file.changed()
        if config is None:
            return None
        try:
            latest[0] = network_of(config, latest[0].ways)
        except SettingsError as error:
            log.error("config_refused", problems=str(error).splitlines(), fix="smsgate channels check")  # noqa: TRY400 - it says all
            return None
        return latest[0]

    return renewed
