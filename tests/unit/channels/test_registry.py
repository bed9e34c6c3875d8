"""From a configuration's words to a channel, and what is said where they are wrong."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from smsgate.channels.registry import build, providers
from smsgate.errors import SettingsError


def refusal(provider: str, options: Mapping[str, Any]) -> str:
    with pytest.raises(SettingsError) as refused:
        build(provider, "backup", options)
    return str(refused.value)


def test_each_provider_makes_a_channel_of_the_name_given() -> None:
    assert build("aliyun", "main", {}).name == "main"
    assert build("tencent", "backup", {"app_id": "1400006666"}).name == "backup"


def test_an_application_may_be_written_as_a_number() -> None:
    assert build("tencent", "backup", {"app_id": 1400006666}).name == "backup"


@pytest.mark.parametrize(
    ("provider", "options", "said"),
    [
        ("tencent", {}, ["app_id: is missing", "1400006666"]),
        ("tencent", {"app_id": "x"}, ["app_id:", "SmsSdkAppId"]),
        ("tencent", {"app_id": "1", "endpiont": "x"}, ["endpiont: is not known; it can have", "endpoint"]),
        ("aliyun", {"endpoint": "https://dysmsapi.aliyuncs.com"}, ["endpoint:", "without https://"]),
        ("aliyun", {"protocol": "ftp"}, ["protocol:", "'https' or 'http'"]),
        ("aliyun", {"read_timeout_ms": 0}, ["read_timeout_ms:", "greater than 0"]),
        ("aliyun", {"key_id_env": "A"}, ["key_id_env, key_secret_env: name both"]),
        ("telegram", {}, ["'telegram' is none of aliyun, tencent", "smsgate.channels"]),
    ],
)
def test_what_is_wrong_is_named_with_its_channel_and_the_fix(
    provider: str, options: Mapping[str, Any], said: list[str]
) -> None:
    text = refusal(provider, options)

    assert [word for word in ["channels.backup", *said] if word not in text.replace("The channel", "")] == []


def test_every_mistake_is_named_at_once() -> None:
    text = refusal("tencent", {"app_id": "x", "endpoint": "a b", "nonsense": 1})

    assert all(option in text for option in ("app_id", "endpoint", "nonsense"))


def test_a_key_that_was_put_where_its_variables_name_belongs_is_not_repeated() -> None:
    assert "hunter2" not in refusal("tencent", {"app_id": "1", "key_secret_env": "hunter2/=+"})


def test_an_sdk_that_is_not_installed_is_named_by_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tencentcloud", None)

    assert "pip install 'smsgate[tencent]'" in refusal("tencent", {"app_id": "1"})


def offer(folder: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Install a package that offers a channel: what an installer leaves behind is all that is looked at."""
    package = folder / "pigeons-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeons\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(f"[smsgate.channels]\ncarrier-pigeon = {value}\n")
    (folder / "pigeons.py").write_text("def channel(name, options):\n    return name, dict(options)\n")
    monkeypatch.syspath_prepend(folder)


def test_a_package_of_its_own_may_offer_a_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path, monkeypatch, "pigeons:channel")

    assert build("carrier-pigeon", "loft", {"grain": "rye"}) == ("loft", {"grain": "rye"})
    assert providers() == ["aliyun", "carrier-pigeon", "tencent"]


def test_an_offer_that_cannot_be_loaded_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path, monkeypatch, "no_such_module:channel")

    assert "no_such_module:channel could not be loaded" in refusal("carrier-pigeon", {})
