"""Signs and templates that the account owns, and what a template makes of its variables."""

import json
import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from smsgate.sandbox.answers import Code, refuse

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z0-9_]+)\}")
_OTP: Final = re.compile(r"[A-Za-z0-9]{4,6}")
_URL: Final = re.compile(r"https?://|www\.", re.IGNORECASE)
LONGEST_VARIABLE: Final = 35


class Kind(StrEnum):
    """What a template is for; flow control and the rules for variables follow from it."""

    OTP = "otp"
    NOTICE = "notice"
    PROMO = "promo"
    INTERNATIONAL = "international"


class KindNumber(IntEnum):
    """`TemplateType` in GetSmsTemplate's answer."""

    OTP = 0
    NOTICE = 1
    PROMO = 2
    INTERNATIONAL = 3


class Scene(StrEnum):
    """What a sign may carry: anything, one-time passwords only, or test templates only."""

    GENERAL = "general"
    OTP = "otp"
    TEST = "test"


class Audit(IntEnum):
    """Where a sign or template stands with the provider's reviewers."""

    PENDING = 0
    APPROVED = 1
    REJECTED = 2
    CANCELLED = 10


class Sign(BaseModel):
    """A signature, shown in brackets before the text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    scene: Scene = Scene.GENERAL
    status: Audit = Audit.APPROVED


class Template(BaseModel):
    """A text with `${variables}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern=r"^SMS_[0-9A-Za-z_]+$")
    content: str = Field(min_length=1, max_length=500)
    name: str = ""
    kind: Kind = Kind.NOTICE
    test: bool = False
    status: Audit = Audit.APPROVED

    @cached_property
    def pieces(self) -> tuple[str, ...]:
        """Text and variable names by turns, beginning and ending with text."""
        return tuple(_VARIABLE.split(self.content))

    @cached_property
    def variables(self) -> tuple[str, ...]:
        return self.pieces[1::2]

    @property
    def names(self) -> tuple[str, ...]:
        """Name each variable once, in the order in which the text has them."""
        return tuple(dict.fromkeys(self.variables))

    def render(self, values: dict[str, str]) -> str:
        """Fill the variables in.

        Raises:
            Rejection: A variable has no value, or one that the provider would not carry.
        """
        if not self.variables:
            return self.content
        parts = list(self.pieces)
        for index in range(1, len(parts), 2):
            value = values.get(parts[index])
            if value is None:
                raise refuse(Code.TEMPLATE_MISSING_PARAMETERS)
            self._check(value)
            parts[index] = value
        return "".join(parts)

    def _check(self, value: str) -> None:
        if self.kind is Kind.OTP:
            if not _OTP.fullmatch(value):
                raise refuse(Code.TEMPLATE_PARAMS_ILLEGAL)
        elif len(value) > LONGEST_VARIABLE:
            raise refuse(Code.PARAM_LENGTH_LIMIT)
        elif _URL.search(value):
            raise refuse(Code.PARAM_NOT_SUPPORT_URL)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything the account has had approved, by name and code."""

    signs: dict[str, Sign]
    templates: dict[str, Template]

    def sign(self, name: str) -> Sign:
        sign = self.signs.get(name)
        if sign is None:
            raise refuse(Code.SMS_SIGNATURE_ILLEGAL)
        if sign.status is not Audit.APPROVED:
            raise refuse(Code.SIGN_STATE_ILLEGAL)
        return sign

    def template(self, code: str) -> Template:
        template = self.templates.get(code)
        if template is None or template.status is not Audit.APPROVED:
            raise refuse(Code.SMS_TEMPLATE_ILLEGAL)
        return template


def require_pair(sign: Sign, template: Template) -> None:
    """Refuse a sign that may not carry this template."""
    if (sign.scene is Scene.TEST) != template.test:
        raise refuse(Code.SMS_TEST_SIGN_TEMPLATE_LIMIT)
    if sign.scene is Scene.OTP and template.kind is not Kind.OTP:
        raise refuse(Code.SMS_SIGNATURE_SCENE_ILLEGAL)


def values_of(written: str) -> dict[str, str]:
    """Read TemplateParam: a JSON object whose values are all strings."""
    try:
        values = json.loads(written) if written else {}
    except (ValueError, RecursionError):  # a deep nest of brackets is no object either
        raise refuse(Code.INVALID_JSON_PARAM) from None
    return strings_in(values)


def strings_in(values: object) -> dict[str, str]:
    """Take an object of strings; anything else is refused as the provider refuses it."""
    if isinstance(values, dict) and all(isinstance(value, str) for value in values.values()):
        return values
    raise refuse(Code.INVALID_JSON_PARAM)
