"""From what the configuration says of a channel to the channel: the providers that are known, and their options."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from smsgate.channels.channel import Channel
from smsgate.errors import SettingsError

# Where other packages offer channels: the name of the provider → a callable that takes (name, options).
GROUP: Final = "smsgate.channels"

FIXES: Final[Mapping[str, str]] = {
    "app_id": "give the SmsSdkAppId of the console's application, such as 1400006666",
    "endpoint": "give the host, with :port where needed, without https:// before it",
    "key_id_env": "give the name of an environment variable, not the key itself",
    "key_secret_env": "give the name of an environment variable, not the secret itself",
}

Builder = Callable[[str, Mapping[str, Any]], Channel]


def build(provider: str, name: str, options: Mapping[str, Any]) -> Channel:
    """Build the channel `name` of a provider; nothing is called, and no SDK is loaded.

    Raises:
        SettingsError: The provider is unknown, its SDK is not installed, or an option is wrong; with the fix.
    """
    builder = OURS.get(provider) or _offered(provider, name)
    return builder(name, options)


def providers() -> list[str]:
    """Name every provider that a channel may have."""
    return sorted({*OURS, *(one.name for one in _entry_points())})


def _aliyun(name: str, options: Mapping[str, Any]) -> Channel:
    from smsgate.channels.aliyun import AliyunChannel, AliyunConfig  # noqa: PLC0415 - only where it is asked for

    _require_sdk(name, "alibabacloud_dysmsapi20170525", "gateway")
    config = _config(AliyunConfig, name, options)
    if bool(config.key_id_env) != bool(config.key_secret_env):
        raise _wrong(name, ["key_id_env, key_secret_env: name both variables, or neither for the SDK's default chain"])
    return AliyunChannel(config, name)


def _tencent(name: str, options: Mapping[str, Any]) -> Channel:
    from smsgate.channels.tencent import TencentChannel, TencentConfig  # noqa: PLC0415 - likewise

    _require_sdk(name, "tencentcloud", "tencent")
    return TencentChannel(_config(TencentConfig, name, options), name)


OURS: Final[Mapping[str, Builder]] = {"aliyun": _aliyun, "tencent": _tencent}


def _entry_points() -> Sequence[EntryPoint]:
    return tuple(entry_points(group=GROUP))


def _offered(provider: str, name: str) -> Builder:
    found = next((one for one in _entry_points() if one.name == provider), None)
    if found is None:
        known = ", ".join(providers())
        fix = f"is none of {known}; a package of its own offers more by an entry point in the group {GROUP}"
        raise SettingsError(f"channels.{name}: provider: {provider!r} {fix}")
    try:
        builder: Builder = found.load()
    except Exception as error:
        why = f"the entry point {found.value} could not be loaded ({type(error).__name__})"
        raise SettingsError(f"channels.{name}: provider: {why}; install or mend the package that offers it") from error
    return builder


def _require_sdk(name: str, package: str, extra: str) -> None:
    if find_spec(package) is None:
        raise SettingsError(f"channels.{name}: provider: its SDK is not installed; pip install 'smsgate[{extra}]'")


def _config(kind: type[Any], name: str, options: Mapping[str, Any]) -> Any:
    """Check options against the fields of a config; what is wrong is told without the value, which may be a secret."""
    fields = {field.name for field in dataclasses.fields(kind)}
    wrong = [
        f"{option}: is not known; it can have {', '.join(sorted(fields))}" for option in options if option not in fields
    ]
    given = {option: value for option, value in options.items() if option in fields}
    try:
        config = TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        wrong += [_told(one) for one in error.errors(include_url=False, include_input=False)]
    if wrong:
        raise _wrong(name, wrong)
    return config


def _told(error: ErrorDetails) -> str:
    option = ".".join(str(part) for part in error["loc"])
    what = "is missing" if error["type"] == "missing" else error["msg"]
    return f"{option}: {what}; {FIXES[option]}" if option in FIXES else f"{option}: {what}"


def _wrong(name: str, wrong: Sequence[str]) -> SettingsError:
    lines = "".join(f"\n  channels.{name}.provider_options: {one}" for one in wrong)
    return SettingsError(f"The channel {name}:{lines}")
