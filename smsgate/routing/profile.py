"""What is declared of a channel, whatever its provider: what it carries, what it costs, how fast it may be called."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from smsgate.message import Lane, Sign, Template
from smsgate.routing.caps import DEFAULT_CAPS, RecipientLimit
from smsgate.routing.declared import EVERYWHERE, Country, Declared
from smsgate.routing.traits import Traits

ChannelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


# By provider, the calls a second that an account is allowed, for SendSms and SendBatchSms (Aliyun's document 438433).
USUAL_RATES: Final[Mapping[str, float]] = {"aliyun": 5000.0}


class TemplateThere(Declared):
    """A template as a provider knows it; `params` puts our variables in order, for one that numbers them."""

    code: Template
    params: tuple[str, ...] | None = None


class Profile(Declared):
    """A channel as it is declared.

    `cost` is for each message, in any currency that all channels share; `rate` is the calls a second that the account
    allows: without it that of the provider holds, where it is known, and `inf` (in TOML) is none. `countries` are
    ISO regions, `*` is everywhere. With `templates` only those in it are carried, without it all pass as they are; the
    same for `signs`, beside which `sign` is for messages without one. Without `recipient_limits` the provider's own
    hold, where they are known.
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
    recipient_limits: tuple[RecipientLimit, ...] | None = None
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

    def params_for(self, template: Template, params: Mapping[str, str]) -> Mapping[str, str]:
        """Put a message's variables into the order in which the provider numbers them.

        One that the message lacks is left out: the provider refuses it, as it would by name.
        """
        there = self.templates.get(template)
        if there is None or there.params is None:
            return params
        return {name: params[name] for name in there.params if name in params}

    @property
    def pace(self) -> float | None:
        """How many calls a second may be made; None for as many as there are."""
        usual = USUAL_RATES.get(self.provider) if self.rate is None else self.rate
        return None if usual is None or math.isinf(usual) else usual

    @property
    def caps(self) -> Sequence[RecipientLimit]:
        """How often one recipient may be written to."""
        usual = DEFAULT_CAPS.get(self.provider, ())
        return usual if self.recipient_limits is None else self.recipient_limits
