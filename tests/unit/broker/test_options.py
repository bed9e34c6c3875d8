"""How each kind of broker is reached."""

import ssl

import pytest
from kombu.transport import TRANSPORT_ALIASES

from smsgate.broker.options import given_options, tls, transport_options
from smsgate.urls import BROKERS


def test_each_kind_of_broker_that_may_be_named_is_one_that_kombu_knows() -> None:
    assert set(BROKERS) - set(TRANSPORT_ALIASES) == set()
    assert "memory" not in BROKERS


@pytest.mark.parametrize("url", ["redis://host/0", "rediss://host/0", "sentinel://host:26379"])
def test_nobody_waits_for_ever_for_a_redis_that_is_silent(url: str) -> None:
    assert 0 < transport_options(url)["socket_connect_timeout"] <= transport_options(url)["socket_timeout"] <= 10


@pytest.mark.parametrize("url", ["amqp://host//", "amqps://host//", "pyamqp://host//"])
def test_an_amqp_broker_confirms_what_it_was_given(url: str) -> None:
    assert transport_options(url) == {"confirm_publish": True}


def test_the_certificate_of_an_amqp_broker_is_checked() -> None:
    checked = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}
    assert tls("amqps://host//", {}) == checked
    own = {"ssl": {"ca_certs": "/etc/ours.pem"}, "login_method": "EXTERNAL"}
    assert tls("amqps://host//", own) == {**checked, "ca_certs": "/etc/ours.pem"}
    assert given_options("amqps://host//", own) == {"login_method": "EXTERNAL"}
    assert tls("amqp://host//", own) is None


def test_what_we_know_of_one_process_is_not_changed_by_another() -> None:
    transport_options("redis://host/0")["socket_timeout"] = 0
    assert transport_options("redis://host/0")["socket_timeout"] == 5
