"""Every setting of the sandbox, each an environment variable that begins with SMSGATE_SANDBOX_."""

import json
from typing import Annotated, Final

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from smsgate.sandbox.catalogue import Catalogue, Kind, Scene, Sign, Template

PREFIX: Final = "SMSGATE_SANDBOX_"

# The first sign and template are the ones that every account gets for trying the service out. The real ones go
# together only with each other and with numbers bound beforehand; here that sign carries every template.
SIGNS: Final = (Sign(name="阿里云短信测试"), Sign(name="短信网关验证", scene=Scene.OTP))
TEMPLATES: Final = (
    Template(
        code="SMS_154950909",
        name="验证码",
        kind=Kind.OTP,
        content="您的验证码为：${code}，请勿泄露于他人！",
    ),
    Template(
        code="SMS_200000001",
        name="发货通知",
        kind=Kind.NOTICE,
        content="${name}，您的订单${order}已发货，预计${date}送达。",
    ),
    Template(
        code="SMS_200000002",
        name="会员推广",
        kind=Kind.PROMO,
        content="${name}，会员日全场${discount}折，欢迎选购。拒收请回复R",
    ),
    Template(
        code="SMS_200000003",
        name="International code",
        kind=Kind.INTERNATIONAL,
        content="Your verification code is ${code}. Do not share it with anyone.",
    ),
)

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Delay = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class SandboxSettings(BaseSettings):
    """How the sandbox listens, which account it plays, and where it reports to."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8025
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    access_key_id: Annotated[str, Field(min_length=1, pattern=r"^[^\s,]+$")] = "testid"
    access_key_secret: SecretStr = SecretStr("testsecret")
    capacity: Annotated[int, Field(ge=1)] = 100_000
    flow_control: bool = False
    signs: Annotated[tuple[Sign, ...], NoDecode] = SIGNS
    templates: Annotated[tuple[Template, ...], NoDecode] = TEMPLATES

    tencent_app_id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] = "1400006666"
    tencent_sessions: bool = False

    report_url: AnyHttpUrl | None = None
    up_url: AnyHttpUrl | None = None
    tencent_report_url: AnyHttpUrl | None = None
    tencent_up_url: AnyHttpUrl | None = None
    report_delay: Delay = 1.0
    push_timeout: Positive = 5.0
    retry_delays: Annotated[tuple[Delay, ...], NoDecode] = (60.0, 300.0, 600.0)

    @field_validator("allowed_hosts", "retry_delays", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return [part.strip() for part in value.strip("[]").split(",") if part.strip()]

    @field_validator("signs", "templates", mode="before")
    @classmethod
    def _read_json(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value

    def catalogue(self) -> Catalogue:
        return Catalogue(
            signs={sign.name: sign for sign in self.signs},
            templates={template.code: template for template in self.templates},
        )
