"""The HTTP session that is put under an SDK: whole answers limited, NO_PROXY honoured, redirects refused."""

import ssl
from ipaddress import ip_address
from typing import Any

import requests
from requests.utils import should_bypass_proxies

from smsgate.channels.deadline import TimedAdapter
from smsgate.channels.way import Way


class Session(requests.Session):
    """A session that takes no detour.

    A redirect would carry number and code to wherever a middlebox points. NO_PROXY counts as it is when this is made.
    """

    def __init__(self, way: Way, context: ssl.SSLContext) -> None:
        super().__init__()
        self._direct = goes_direct(way)
        limit = way.answer_limit_ms / 1000
        self.mount(f"{way.protocol}://", TimedAdapter(context, pool_size=way.pool_size, limit=limit))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        if self._direct:
            kwargs["proxies"] = {}
        return super().send(request, **(kwargs | {"allow_redirects": False}))


def goes_direct(way: Way) -> bool:
    """Say whether the endpoint is reached without a proxy, whatever the environment says of proxies."""
    host = way.endpoint.rpartition(":")[0] or way.endpoint
    return _is_loopback(host) or should_bypass_proxies(f"{way.protocol}://{way.endpoint}", no_proxy=None)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
