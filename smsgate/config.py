"""What is declared in a file: the channels, the rules by which messages take them, and what limits them.

The environment says how this deployment runs (`smsgate.settings`); the file says which ways lead out of it, and can be
changed while it runs.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, ValidationError

from smsgate.config_problems import told
from smsgate.errors import SettingsError
from smsgate.gates.quota import Limits
from smsgate.routing.breaker import BreakerRule
from smsgate.routing.dead_rules import Gravity, Problem, problems
from smsgate.routing.declared import Declared
from smsgate.routing.degradation import DegradationRule
from smsgate.routing.observed import HealthRule
from smsgate.routing.profile import Profile
from smsgate.routing.table import Rule, Table
from smsgate.settings import Settings

# The channel that there is where none is declared.
USUAL: Final = "aliyun"
# Its provider tells where a recipient has had enough, as it always did; a declared channel is held to that beforehand.
ONLY: Final = Profile(name=USUAL, recipient_limits=())


def _named(tables: object) -> object:
    """Give each table its own name as a field."""
    if not isinstance(tables, Mapping):
        return tables
    return tuple({**table, "name": name} if isinstance(table, Mapping) else table for name, table in tables.items())


class Config(Declared):
    """A whole file.

    `channels` are tables by their names; without any there is the one that the environment describes. `routes` and
    `limits` are arrays of tables; routes are tried in their order.
    """

    channels: Annotated[tuple[Profile, ...], BeforeValidator(_named), Field(min_length=1)] = (ONLY,)
    routes: tuple[Rule, ...] = ()
    limits: Limits = ()
    breaker: BreakerRule = BreakerRule()
    degradation: DegradationRule = DegradationRule()
    health: HealthRule = HealthRule()

    @property
    def table(self) -> Table:
        return Table(self.routes, self.channels)


def of_settings(settings: Settings) -> Config:
    """Declare the one channel that the environment describes."""
    return completed(Config(), settings)


def completed(config: Config, settings: Settings) -> Config:
    """Fill in what channels of Aliyun leave out from the environment: the sign, and the way to the provider."""
    return config.model_copy(update={"channels": tuple(_completed(one, settings) for one in config.channels)})


def _completed(profile: Profile, settings: Settings) -> Profile:
    if profile.provider != "aliyun":
        return profile
    usual = {
        "endpoint": settings.aliyun_endpoint,
        "protocol": settings.aliyun_protocol,
        "connect_timeout_ms": int(settings.aliyun_connect_timeout * 1000),
        "read_timeout_ms": int(settings.aliyun_read_timeout * 1000),
    }
    return profile.model_copy(
        update={
            "sign": profile.sign or settings.sign,
            "provider_options": {**usual, **profile.provider_options},
        }
    )


def read(path: Path) -> Config:
    """Read a file and check it whole.

    Raises:
        SettingsError: It cannot be read, is no TOML, or declares what cannot be; it names every such thing and the fix.
    """
    config = parsed(path)
    dead = [problem for problem in problems(config.table) if problem.gravity is Gravity.ERROR]
    if dead:
        raise SettingsError("\n".join([f"{path.name}:", *(f"  {one.where}: {one.text}" for one in dead)]))
    return config


def parsed(path: Path) -> Config:
    """Read a file whose routes may lead nowhere.

    Raises:
        SettingsError: As `read` does, except for dead routes.
    """
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path.name}: cannot be read ({error.strerror}); SMSGATE_CONFIG names it") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path.name}: is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path.name}: is not TOML: {error}") from None
    try:
        return Config.model_validate(written)
    except ValidationError as error:
        wrong = told(error, written, Config)
        raise SettingsError("\n".join([f"{path.name}:", *(f"  {line}" for line in wrong)])) from None


def warnings(config: Config) -> list[Problem]:
    """Find what is allowed and most likely not meant."""
    return [problem for problem in problems(config.table) if problem.gravity is Gravity.WARNING]


def without_sign(config: Config) -> list[Problem]:
    """Find the channels by which a message that brings no sign cannot leave: with one, workers do not start."""
    text = "is not set, for messages that bring none: workers do not start; SMSGATE_SIGN is for those of Aliyun"
    names = [profile.name for profile in config.channels if not profile.sign]
    return [Problem(Gravity.WARNING, f"channels.{name}.sign", text) for name in names]
