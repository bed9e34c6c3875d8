"""What a message is, and the rules that hold for it wherever it comes from."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, NewType, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
)
from pydantic_core import ErrorDetails

from smsgate.errors import FieldError, InvalidMessage
from smsgate.phone import Phone, parse

MessageId = NewType("MessageId", str)
# The provider takes an OutId of at most 255 characters; ours are UUIDs, a caller's own task id may be longer.
MESSAGE_ID: Final = r"[A-Za-z0-9_-]{1,64}"


class OnUncertain(StrEnum):
    """What to do when a message may have been sent and the provider cannot say."""

    HOLD = "hold"  # leave it uncertain, and dead in the end: an operator decides
    RESEND = "resend"  # send it again while it is valid: better twice than never


class Lane(StrEnum):
    """How urgent a message is: each lane has its own queue and its own worker process."""

    OTP = "otp"
    NOTICE = "notice"
    BULK = "bulk"


# Seconds for which a message is worth sending when its sender does not say: a code is useless after five minutes.
VALID_FOR: Final[dict[Lane, int]] = {Lane.OTP: 300, Lane.NOTICE: 24 * 3600, Lane.BULK: 72 * 3600}
LONGEST_VALIDITY: Final = 7 * 24 * 3600
# Seconds for which a message may be kept before it is sent, and by which a time to send may lie in the past: a clock
# may be off and a request late, but a zone forgotten must not send at once.
LONGEST_SCHEDULE: Final = 30 * 24 * 3600
LATEST_SCHEDULE: Final = 300
# The provider's templates hold at most 500 characters, and the variables travel in a URL.
MOST_PARAMS: Final = 32


def _phone(value: object) -> Phone:
    if not isinstance(value, str):
        raise ValueError("must be a string; write the number in quotes, such as 13800138000 or +8613800138000")  # noqa: TRY004 - pydantic reports ValueError only
    try:
        return parse(value)
    except InvalidMessage as error:
        raise ValueError(error.errors[0].message) from None


def _send_at(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("must be a time with its zone in ISO 8601, such as 2026-12-24T18:00:00+08:00")
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _is_host(name: str) -> bool:
    """Say whether a name can be one of a host: labels of 1 to 63 characters. An IPv6 address has none."""
    return ":" in name or all(0 < len(label) <= 63 for label in name.removesuffix(".").split("."))  # noqa: PLR2004 - by RFC 1035


def _callback_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and _is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not value.isascii() or any(sign <= " " for sign in value):
        raise ValueError("must be an http:// or https:// URL in ASCII, such as https://example.com/sms")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("must have neither user and password nor a fragment; webhooks are signed instead")
    return value


Template = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Sign = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
ParamName = Annotated[str, StringConstraints(pattern=r"^\w{1,64}$")]
ParamValue = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]


class _Checked(BaseModel):
    """Fields that a caller gave, each held against its rule."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    @classmethod
    def check(cls, fields: Mapping[str, Any]) -> Self:
        """Build one from what a caller gave.

        Raises:
            InvalidMessage: It names every field that breaks a rule, and the fix; never a value.
        """
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise InvalidMessage([_field_error(cls, one) for one in error.errors(include_url=False)]) from None


class Addressed(_Checked):
    """What a message says to one phone; its `repr` shows neither the whole number nor the parameters."""

    to: Annotated[Phone, PlainValidator(_phone, json_schema_input_type=str)]
    params: dict[ParamName, ParamValue] = Field(default_factory=dict, max_length=MOST_PARAMS, repr=False)
    reference: Reference | None = Field(default=None, repr=False)


class Common(_Checked):
    """What messages may have in common: everything that is not about a single phone."""

    template: Template
    sign: Sign | None = None
    lane: Annotated[Lane, Field(strict=False)] = Lane.NOTICE
    valid_for: int | None = Field(default=None, ge=1, le=LONGEST_VALIDITY)
    send_at: Annotated[datetime | None, BeforeValidator(_send_at)] = None
    on_uncertain: Annotated[OnUncertain, Field(strict=False)] = OnUncertain.HOLD
    callback_url: Annotated[str, Field(max_length=2048), AfterValidator(_callback_url)] | None = Field(
        default=None, repr=False
    )

    @property
    def seconds_valid(self) -> int:
        """For how many seconds after its acceptance the message is worth sending."""
        return VALID_FOR[self.lane] if self.valid_for is None else self.valid_for


class Message(Common, Addressed):
    """One SMS to one phone."""

    @classmethod
    def restore(cls, stored: Mapping[str, Any]) -> "Message":
        """Read back what `model_dump(mode="json")` gave of a message that was checked when it came in.

        It is not checked again: rules and numbering plans change, and an accepted message must stay readable.
        """
        fields = {**stored, "to": Phone(stored["to"])}
        fields["lane"] = Lane(fields.get("lane", Lane.NOTICE))
        fields["on_uncertain"] = OnUncertain(fields.get("on_uncertain", OnUncertain.HOLD))
        if "send_at" in fields:
            fields["send_at"] = datetime.fromisoformat(fields["send_at"])
        return cls.model_construct(**fields)


# As people write them.
_ORDER: Final = (
    *("to", "template", "params", "sign", "lane", "valid_for", "send_at", "on_uncertain", "reference", "callback_url"),
)
# pydantic's error type → what to do about it. `{…}` are the error's own context.
_FIXES: Final[dict[str, str]] = {
    "missing": "is required",
    "extra_forbidden": "is not a field of a message; known fields are {fields}",
    "string_type": "must be a string; write the value in quotes",
    "string_unicode": "holds a lone surrogate, which is not Unicode text; send valid UTF-8",
    "dict_type": 'must be an object of strings, such as {{"code": "123456"}}',
    "int_type": "must be a whole number of seconds",
    "int_from_float": "must be a whole number of seconds",
    "string_too_long": "is longer than {max_length} characters; shorten it",
    "string_too_short": "must not be empty; give a value or leave the field out",
    "too_long": "has more than {max_length} entries; a template has fewer variables",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "value_error": "{error}",
}
_PATTERN_FIXES: Final[dict[str, str]] = {
    "template": "must be a template code of letters, digits and _ . : - up to 64 characters, such as SMS_154950909",
    "sign": "holds a control character; give the sign's name as the provider approved it",
    "reference": "holds a control character; give printable text",
    "params": "a variable's name has letters, digits and _ up to 64 characters, and its value no NUL character",
}


def _field_error(model: type[BaseModel], error: ErrorDetails) -> FieldError:
    path = [str(part) for part in error["loc"] if part != "[key]"]
    field = ".".join(path).encode("utf-8", "backslashreplace").decode() or "message"
    if error["type"] == "string_pattern_mismatch":
        return FieldError(field, _PATTERN_FIXES[path[0]])
    fix = _FIXES.get(error["type"])
    if fix is None:
        return FieldError(field, error["msg"])
    fields = ", ".join(name for name in _ORDER if name in model.model_fields)
    return FieldError(field, fix.format(**{"fields": fields, **error.get("ctx", {})}))
