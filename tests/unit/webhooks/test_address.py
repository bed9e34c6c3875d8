import pytest

from smsgate.webhooks.address import is_public
from smsgate.webhooks.breakers import endpoint


@pytest.mark.parametrize("address", ["8.8.8.8", "47.88.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",  # Alibaba Cloud's metadata
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",  # Azure's
        "169.254.169.254",  # everybody else's
        "172.16.0.1",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "::ffff:0.0.0.0",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "4000::1",
        "fc00::1",
        "fe80::1",
        "fe80::1%lo",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_that_leads_into_a_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://Example.com/hooks/token?key=secret", "https://example.com:443"),
        ("http://example.com:8080/", "http://example.com:8080"),
        ("http://[2606:4700::1111]/x", "http://[2606:4700::1111]:80"),
    ],
)
def test_an_endpoint_is_named_without_what_may_be_a_token(url: str, shown: str) -> None:
    assert endpoint(url) == shown
