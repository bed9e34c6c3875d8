"""Which addresses a client may have us call: public ones, or whoever can send an SMS could reach our network."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

# Public by its number, but answers only inside Azure, with the credentials of the machine that asks.
_PLATFORMS: Final = frozenset({ip_address("168.63.129.16")})
# Special by the registries of IANA, and global by Python's of 3.11: translation, relays, documentation.
_SPECIAL: Final = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2002::/16", "64:ff9b::/96", "3fff::/20")))


def is_public(text: str) -> bool:
    """Say whether an address is one of the public Internet.

    Stricter than requests-hardened, which lets through IPv4-compatible (::127.0.0.1), IPv4-translated
    (::ffff:0:127.0.0.1) and other reserved IPv6 addresses, and site-local ones (fec0::/10).
    """
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(str(address.ipv4_mapped))
        if address.is_site_local:
            return False
    if any(address in network for network in _SPECIAL):
        return False
    usable = address.is_global and not (address.is_reserved or address.is_multicast)
    return usable and address not in _PLATFORMS
