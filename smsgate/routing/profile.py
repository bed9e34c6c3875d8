"""What is declared of a channel, whatever its provider: what it carries, what it costs, how fast it may be called."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from smsgate.message import Lane, Sign, Template

ChannelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Country = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|\*)$")]
EVERYWHERE: Final = "*"


class Declared(BaseModel):
    """Anything that the configuration file declares: what it does not know it refuses, so that no slip goes unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TemplateThere(Declared):
    """A template as a provider knows it; `params` puts our variables in order, for one that numbers them."""

    code: Template
    params: tuple[str, ...] | None = None


class Profile(Declared):
    """A channel as it is declared.

    `cost` is for each message, in any currency that all channels share; `rate` is the calls a second that the account
    allows (None: no limit is known). `countries` are ISO regions, `*` is everywhere. With `templates` only those in it
    are carried, without it all pass as they are; the same for `signs`, beside which `sign` is for messages without one.
    """

    name: ChannelName
    provider: str = "aliyun"
    weight: float = Field(default=1.0, gt=0, le=1000)
    cost: float = Field(default=0.0, ge=0)
    rate: float | None = Field(default=None, gt=0)
    lanes: frozenset[Lane] = frozenset(Lane)
    countries: frozenset[Country] = frozenset({EVERYWHERE})
    sign: Sign | None = None
    signs: Mapping[Sign, Sign] = Field(default_factory=dict)
    templates: Mapping[Template, TemplateThere] = Field(default_factory=dict)
    provider_options: Mapping[str, Any] = Field(default_factory=dict, repr=False)
