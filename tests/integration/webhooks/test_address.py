"""Where a webhook may go: nobody reaches our own network by naming it, by any name."""

import datetime as dt
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from smsgate.webhooks.address import is_public
from smsgate.webhooks.outcome import Delivered, Failed, Rejected
from smsgate.webhooks.post import Post
from tests.integration.webhooks.endpoint import Endpoint, listening

# The address that stands for the Internet here; it is never connected to.
PUBLIC = "8.8.8.8"


class Names:
    """The names of a test in place of the system's; each lookup takes the next address, and PUBLIC leads back here."""

    def __init__(self, **addresses: list[str]) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    def __call__(self, host: str, port: int | None, *_args: Any, **_more: Any) -> list[Any]:
        self.asked.append(host)
        there = "127.0.0.1" if host == PUBLIC else host
        if host.removesuffix(".test") in self.addresses:
            there = self.addresses[host.removesuffix(".test")].pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (there, port or 0))]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "10.0.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[fe80::1]",
        "[fec0::1]",
    ],
)
def test_an_address_that_is_not_public_is_refused(strict: Post, endpoint: Endpoint, host: str) -> None:
    assert strict(f"http://{host}:{endpoint.port}/", b"{}", {}) == Rejected("address_refused")
    assert endpoint.posted == []


def test_over_tls_too(strict: Post, endpoint: Endpoint) -> None:
    assert strict(f"https://localhost:{endpoint.port}/", b"{}", {}) == Rejected("address_refused")


def test_a_name_cannot_change_its_mind_after_it_was_looked_at(
    strict: Post, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Public when it is checked, loopback when it is connected to: the connection goes to what was checked."""
    names = Names(rebind=[PUBLIC, "127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", names)

    assert strict(f"http://rebind.test:{endpoint.port}/", b"{}", {}) == Delivered(204)

    assert names.asked == ["rebind.test", PUBLIC]
    assert endpoint.posted[0].headers["Host"] == f"rebind.test:{endpoint.port}"


def test_a_proxy_of_the_environment_is_not_used(
    post: Post, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would connect in our place, from within its own network."""
    with listening(lambda end: end.sendall(b"HTTP/1.1 500 \r\n\r\n")) as port:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        assert post(endpoint.url, b"{}", {}) == Delivered(204)


def test_the_passwords_of_this_machines_user_are_not_given_away(
    post: Post, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    post(endpoint.url, b"{}", {})
    assert "Authorization" not in endpoint.posted[0].headers


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_a_pinned_address_is_asked_by_its_name_and_must_prove_it(
    strict: Post, self_signed: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []
    self_signed.sni_callback = lambda _socket, name, _context: asked.append(name)
    monkeypatch.setattr(socket, "getaddrinfo", Names(hooks=[PUBLIC]))

    with listening(lambda end: self_signed.wrap_socket(end, server_side=True).close()) as port:
        assert strict(f"https://hooks.test:{port}/", b"{}", {}) == Failed("tls", down=True)

    assert asked == ["hooks.test"]


@pytest.mark.parametrize(
    "address",
    ["192.0.0.8", "192.0.0.192", "192.88.99.1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "64:ff9b::7f00:1", "3fff::1"],
)
def test_what_is_special_by_its_registry_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "223.5.5.5", "2400:3200::1"])
def test_the_internet_is_public(address: str) -> None:
    assert is_public(address)
