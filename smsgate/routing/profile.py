"""What is declared of a channel, whatever its provider: what it carries, what it costs, how fast it may be called."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from smsgate.errors import FieldError, InvalidMessage
from smsgate.message import Lane, Sign, Template
from smsgate.routing.traits import Traits

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

    def can_carry(self, traits: Traits) -> bool:
        """Say whether a message may leave by this channel: its lane, its country, its template and its sign.

        A message whose country is not known leaves only by a channel that goes everywhere.
        """
        return (
            traits.lane in self.lanes
            and not self.countries.isdisjoint((traits.country, EVERYWHERE))
            and (not self.templates or traits.template in self.templates)
            and (not self.signs or traits.sign is None or traits.sign in self.signs)
        )

    def template_for(self, template: Template) -> Template:
        """Name our template as the provider does. KeyError: this channel does not carry it (`can_carry`)."""
        return self.templates[template].code if self.templates else template

    def sign_for(self, sign: Sign | None) -> Sign | None:
        """Name our sign as the provider does; None: neither the message nor the channel has one.

        KeyError: this channel does not carry it (`can_carry`). The channel's own `sign` is the provider's already.
        """
        if sign is None:
            return self.sign
        return self.signs[sign] if self.signs else sign

    def params_for(self, template: Template, params: Mapping[str, str]) -> tuple[str, ...]:
        """Put a message's variables in the provider's order; without a declared order, in that of the message.

        Raises:
            InvalidMessage: The message lacks one that the order names. It tells the name and no value.
        """
        there = self.templates.get(template)
        order = tuple(params) if there is None or there.params is None else there.params
        lacking = [name for name in order if name not in params]
        if lacking:
            raise InvalidMessage(
                [FieldError(f"params.{name}", f"is required by channel {self.name}") for name in lacking]
            )
        return tuple(params[name] for name in order)
