"""What the environment says, read once at start and checked whole: every gap is named at once."""

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from smsgate.as_json import AS_JSON
from smsgate.errors import SettingsError
from smsgate.urls import checked_broker, checked_redis, is_same_redis

PREFIX: Final = "SMSGATE_"
Port = Annotated[int, Field(ge=1, le=65535)]
# What a provider takes in one call (Aliyun's SendBatchSms).
MOST_TOGETHER: Final = 100
# The states in which a message is kept for a while: its ends, and dead.
Ended = Literal["delivered", "undelivered", "failed", "rejected", "expired", "cancelled", "dead"]


class Together(BaseModel):
    """How messages of a template leave together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(default=2.0, ge=0, le=60)
    size: int = Field(default=MOST_TOGETHER, ge=1, le=MOST_TOGETHER)


class Settings(BaseSettings):
    """Every setting of the gateway; the README's table is made of these descriptions.

    Aliyun's credentials are not among them: the SDK finds them by its own default chain.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True, env_ignore_empty=True)

    redis_url: str = Field(
        default="redis://127.0.0.1:6380/0",
        validation_alias=AliasChoices("SMSGATE_REDIS_URL", "CELERY_BROKER_URL"),
        repr=False,
        description="The Redis that holds queues and records. Without it, the embedded one of `smsgate up`.",
    )
    broker_url: str | None = Field(
        default=None,
        repr=False,
        description="Another broker for Celery's tasks, such as amqp://, sentinel:// or a second redis://; without it "
        "they wait in the Redis of the records.",
    )
    broker_options: Annotated[dict[str, Any], *AS_JSON] = Field(
        default_factory=dict,
        repr=False,
        description='What kombu\'s transport to that broker is given besides, such as {"master_name": "main"}.',
    )
    config: Path | None = Field(
        default=None,
        description="The TOML file that declares channels and routes; without it there is one channel, `aliyun`, which "
        "these settings describe.",
    )
    sign: str | None = Field(default=None, description="The sign for messages that bring none, as Aliyun approved it.")
    callback_secret: str | None = Field(
        default=None,
        min_length=16,
        pattern=r"^[A-Za-z0-9_-]+$",
        repr=False,
        description="The secret part of the callback URLs given to Aliyun: 16 or more letters, digits, _ and -.",
    )
    aliyun_endpoint: str = Field(
        default="dysmsapi.aliyuncs.com",
        pattern=r"^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?$",
        description="The provider's host, with :port where needed; without https:// before it.",
    )
    aliyun_protocol: Literal["https", "http"] = Field(default="https", description="`http` is for the sandbox.")
    aliyun_connect_timeout: float = Field(default=3.0, gt=0, le=10, description="Seconds to connect to the provider.")
    aliyun_read_timeout: float = Field(
        # With the longest connect time still below the task's soft time limit of 30 s (celeryconfig.py).
        default=10.0,
        ge=1,
        le=15,
        description="Seconds to wait for the provider's answer; Aliyun asks for at least 1.",
    )
    http_host: str = Field(default="127.0.0.1", description="The address on which the web process listens.")
    http_port: Port = Field(default=8000, description="The port of the web process.")
    sandbox_port: Port = Field(default=8025, description="The port of the sandbox provider and its inbox.")
    flower_port: Port = Field(default=5555, description="The port of Flower.")
    flower_password: str | None = Field(
        default=None,
        min_length=8,
        pattern=r"^[^,\s]+$",  # Flower would read what stands between commas as a password each
        repr=False,
        description="Flower's password for the user `smsgate`: 8 or more characters, no comma, no space.",
    )
    webhook_allow_private: bool = Field(
        default=False, description="Let webhooks go to private and loopback addresses too."
    )
    redis_port: Port = Field(default=6380, description="The port of the embedded Redis of `smsgate up`.")
    retention_days: float = Field(
        default=7.0, gt=0, le=365, description="Days for which a message can be read after its end; at least an hour."
    )
    retention_days_by_state: Annotated[dict[Ended, Annotated[float, Field(gt=0, le=365)]], *AS_JSON] = Field(
        default_factory=dict,
        description='Days for messages that ended so, where they differ from the others, such as {"delivered": 1, '
        '"dead": 30}; `dead` is 45 otherwise.',
    )
    gather_seconds: float = Field(
        default=2.0,
        ge=0,
        le=60,
        description="Seconds for which a notice or bulk message waits for others of its template and sign, to leave "
        "with them in one call; 0 sends each by itself. Codes never wait.",
    )
    gather_size: int = Field(
        default=MOST_TOGETHER, ge=1, le=MOST_TOGETHER, description="Messages that leave at once, without more waiting."
    )
    gather_by_template: Annotated[dict[str, Together], *AS_JSON] = Field(
        default_factory=dict,
        description='What differs for some templates, such as {"SMS_154950909": {"seconds": 0.5, "size": 20}}.',
    )
    settling_seconds: float = Field(
        default=60.0,
        ge=1,
        le=3600,
        description="Seconds given to the provider before a message that it does not know is sent again.",
    )
    lease_seconds: float = Field(
        # Above the tasks' hard time limit (celeryconfig.py): until then a worker may be in its call.
        default=60.0,
        ge=45,
        le=3600,
        description="Seconds after which an attempt whose worker is silent counts as uncertain.",
    )
    overdue_seconds: float = Field(
        default=45.0,
        ge=5,
        le=3600,
        description="Seconds after which a queued message whose task is lost gets another; below 45 it may get a "
        "needless one while a worker is slow.",
    )
    receipt_timeout_hours: float = Field(
        default=2.0,
        gt=0,
        le=72,
        description="Hours without a receipt after which the provider is asked about a message that was sent.",
    )
    brake_share: float = Field(
        default=0.5, gt=0, le=1, description="Of the messages that end in a minute, the share that may end dead."
    )
    brake_least: int = Field(
        default=20, ge=1, description="Dead letters in a minute below which a lane is never paused by itself."
    )
    brake_probe_seconds: float = Field(
        default=30.0, ge=1, le=3600, description="Seconds between two probes of a lane that paused by itself."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="The least to log.")
    log_format: Literal["json", "console"] = Field(
        default="json", description="`json` for machines, `console` for people."
    )

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, url: str) -> str:
        return checked_redis(url)

    @field_validator("broker_url")
    @classmethod
    def _is_broker(cls, url: str | None) -> str | None:
        return None if url is None else checked_broker(url)

    @property
    def has_own_broker(self) -> bool:
        """Say whether tasks wait elsewhere than in the Redis of the records."""
        return self.broker_url is not None and not is_same_redis(self.broker_url, self.redis_url)

    @property
    def broker(self) -> str:
        """The broker from which workers take their tasks."""
        return self.broker_url if self.broker_url and self.has_own_broker else self.redis_url

    @property
    def retention(self) -> int:
        """Seconds for which a record is kept after its end.

        At least an hour: a task that comes again after its record is gone is taken for another program's.
        """
        return _seconds(self.retention_days)

    @property
    def retention_by_state(self) -> dict[str, int]:
        """Seconds for which a record is kept that ended in one of these states; at least an hour, as the others."""
        return {state: _seconds(days) for state, days in self.retention_days_by_state.items()}


def _seconds(days: float) -> int:
    return max(3600, int(days * 24 * 3600))


def load(*required: str) -> Settings:
    """Read the settings; `required` names those that this kind of process cannot do without.

    Raises:
        SettingsError: It names every setting that is missing or wrong, and the fix.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        gaps = [(_variable(one["loc"]), _wrong(one)) for one in error.errors(include_url=False)]
        unset = [name for name in required if not os.environ.get(name_of(name)) and name_of(name) not in dict(gaps)]
    else:
        gaps, unset = [], [name for name in required if getattr(settings, name) is None]
        if not unset:
            return settings
    gaps += [(name_of(name), f"is not set. {Settings.model_fields[name].description}") for name in unset]
    raise SettingsError("Settings:\n" + "\n".join(f"  {variable}: {what}" for variable, what in gaps))


@cache
def current() -> Settings:
    """Read the settings once in this process."""
    return load()


def name_of(field: str) -> str:
    """Name the environment variable of a setting."""
    return f"{PREFIX}{field.upper()}"


def _variable(loc: tuple[Any, ...]) -> str:
    name = str(loc[0])
    if name == "SMSGATE_REDIS_URL" and not os.environ.get(name):
        return "CELERY_BROKER_URL (read because SMSGATE_REDIS_URL is not set)"
    return name if name.isupper() else name_of(name)


def _wrong(error: ErrorDetails) -> str:
    """Say what is wrong, where within, and what the setting is for: what a number must be does not tell its unit."""
    field = str(error["loc"][0]).removeprefix(PREFIX).lower()
    within = "".join(f"{part}: " for part in error["loc"][1:] if part != "[key]")
    meant = f". {Settings.model_fields[field].description}" if field in Settings.model_fields else ""
    return f"{within}{error['msg'].removeprefix('Value error, ')}{meant}"
