"""What `smsgate doctor` finds, against a provider on a real socket."""

from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any

import pytest
from alibabacloud_credentials.utils import auth_util

from smsgate.channels.aliyun import AliyunConfig
from smsgate.channels.aliyun.preflight import Finding, check, masked

TEMPLATE = {"Code": "OK", "TemplateStatus": "1", "TemplateContent": "验证码${code}，${minutes}分钟内有效，${code}"}
SIGN = {"Code": "OK", "SignStatus": 1}
REFUSED_KEY = {"Code": "InvalidAccessKeyId.NotFound", "Message": "testid is not found"}


def saying(scene: Any, *, template: Any = TEMPLATE, sign: Any = SIGN, status: int = 200) -> None:
    answers = {"GetSmsTemplate": template, "GetSmsSign": sign}
    scene.answer = lambda exchange, asked: exchange.reply(answers[asked.headers["x-acs-action"]], status=status)


def found(config: AliyunConfig, sign: str | None = "阿里云", template: str | None = "SMS_1") -> dict[str, Finding]:
    return {finding.check: finding for finding in check(config, sign, template)}


def test_a_good_account_is_found_good_in_every_check(config: AliyunConfig, scene: Any) -> None:
    saying(scene)

    findings = found(config)

    assert list(findings) == ["credentials", "endpoint", "clock", "key", "sign", "template"]
    assert all(finding.ok and not finding.fix for finding in findings.values())
    assert findings["credentials"].detail == "default/env, key ******"
    assert findings["sign"].detail == "阿里云: approved"
    assert findings["template"].detail == "SMS_1: approved; variables: code, minutes"


def test_without_sign_and_template_the_key_is_checked_all_the_same(config: AliyunConfig, scene: Any) -> None:
    saying(scene, template={"Code": "isv.SMS_TEMPLATE_ILLEGAL"})

    findings = found(config, sign=None, template=None)

    assert list(findings) == ["credentials", "endpoint", "clock", "key"]
    assert findings["key"].ok


def test_missing_credentials_are_found_and_nothing_is_asked(
    config: AliyunConfig, scene: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(auth_util, "environment_access_key_id", None)
    monkeypatch.setenv("HOME", str(tmp_path))

    findings = found(config)

    assert not findings["credentials"].ok
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in findings["credentials"].fix
    assert scene.asked == []


def test_an_endpoint_that_cannot_be_reached_is_found_and_nothing_is_asked(free_port: int) -> None:
    findings = found(AliyunConfig(f"127.0.0.1:{free_port}", "http"))

    assert list(findings) == ["credentials", "endpoint"]
    assert findings["endpoint"].detail == f"127.0.0.1:{free_port} does not answer: connect_refused"


@pytest.mark.parametrize("endpoint", ["127.0.0.1:99999", "", "exa mple", "dysmsapi.invalid"])
def test_an_endpoint_that_is_none_is_found_without_an_exception(endpoint: str) -> None:
    assert not found(AliyunConfig(endpoint, "http"))["endpoint"].ok


@pytest.mark.parametrize(
    ("seconds", "ok", "warned"),
    [(0, True, False), (30, True, False), (120, True, True), (-120, True, True), (1000, False, True)],
)
def test_a_clock_is_compared_with_the_providers(
    seconds: int, ok: bool, warned: bool, config: AliyunConfig, scene: Any
) -> None:
    saying(scene)
    scene.date = formatdate(time() - seconds, usegmt=True)

    clock = found(config)["clock"]

    assert (clock.ok, bool(clock.fix)) == (ok, warned)
    if seconds:
        assert clock.detail.endswith("ahead of the provider" if seconds > 0 else "behind the provider")


def test_a_clock_that_cannot_be_compared_is_a_warning(config: AliyunConfig, scene: Any) -> None:
    saying(scene)
    scene.date = "sometime"

    assert found(config)["clock"].ok
    assert found(config)["clock"].fix


def test_a_key_that_is_not_accepted_is_found_and_not_shown(config: AliyunConfig, scene: Any) -> None:
    saying(scene, template=REFUSED_KEY, status=404)

    findings = found(config)

    assert list(findings)[3:] == ["key"]
    assert not findings["key"].ok
    assert findings["key"].detail == "the access key: InvalidAccessKeyId.NotFound"
    assert "testid" not in repr(findings)


def test_a_key_that_may_only_send_is_a_good_one_with_a_warning(config: AliyunConfig, scene: Any) -> None:
    denied = {"Code": "Forbidden.RAM", "Message": "no"}
    saying(scene, template=denied, sign=denied, status=403)

    findings = found(config)

    assert findings["key"].ok
    assert (findings["sign"].ok, findings["template"].ok) == (True, True)
    assert "dysms:GetSmsSign" in findings["sign"].fix


@pytest.mark.parametrize(("status", "word"), [(0, "under review"), (2, "rejected"), (10, "withdrawn"), (7, "status 7")])
def test_what_is_not_approved_is_found(status: int, word: str, config: AliyunConfig, scene: Any) -> None:
    saying(scene, template=TEMPLATE | {"TemplateStatus": str(status)}, sign=SIGN | {"SignStatus": status})

    findings = found(config)

    for what in (findings["sign"], findings["template"]):
        assert not what.ok
        assert word in what.detail
        assert what.fix


def test_an_unknown_sign_is_found_beside_a_good_template(config: AliyunConfig, scene: Any) -> None:
    saying(scene, sign={"Code": "isv.SMS_SIGNATURE_ILLEGAL"})

    findings = found(config)

    assert not findings["sign"].ok
    assert findings["template"].ok


@pytest.mark.parametrize(
    ("status", "body"), [(500, {"Code": "InternalError"}), (502, b"<html>"), (200, b"null"), (200, {})]
)
def test_a_provider_in_trouble_raises_nothing(status: int, body: Any, config: AliyunConfig, scene: Any) -> None:
    saying(scene, template=body, sign=body, status=status)

    assert not found(config)["key"].ok


def test_a_provider_that_hangs_up_raises_nothing(config: AliyunConfig, scene: Any) -> None:
    scene.answer = lambda exchange, _: exchange.hang_up()

    assert found(config)["key"].detail == "the access key: connection_reset"


def test_only_the_ends_of_a_key_id_are_shown() -> None:
    assert masked("LTAI0000EXAMPLE0000abcd") == "LTAI****cd"
