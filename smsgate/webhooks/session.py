"""A session of requests for one call to an endpoint that a stranger has named.

One for each call: a kept one would carry cookies from client to client, and its idle connections, which the other side
closes when it likes, would fail calls that have nothing wrong with them.
"""

from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter

from smsgate.webhooks.address import is_public
from smsgate.webhooks.line import Line

# Seconds to connect, and to wait for each part of the answer.
TIMEOUTS: Final = (3.0, 5.0)


class Adapter(IPFilterAdapter):  # type: ignore[misc] # it comes without types
    """Resolve the name once, refuse what is not public, and connect to the very address that was looked at."""

    def __init__(self, line: Line, *, https: bool, allow_private: bool) -> None:
        self._line = line
        self._allow_private = allow_private
        super().__init__(is_https_proto=https)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._line.pools()

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        if self._allow_private:
            return HTTPAdapter.build_connection_pool_key_attributes(self, request, verify, cert)
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        address = host["host"].strip("[]")
        if not is_public(address):
            raise InvalidIPAddress(address)
        return host, pool


class Session(HTTPSession):  # type: ignore[misc] # it comes without types
    """A session that trusts neither the endpoint nor the environment."""

    def __init__(self, line: Line, *, allow_private: bool) -> None:
        super().__init__(
            Config(
                ip_filter_enable=False,  # by our own adapters below
                ip_filter_allow_loopback_ips=False,
                never_redirect=True,
                default_timeout=TIMEOUTS,
            )
        )
        # No proxy: it would resolve and connect in our place, from where "public" means something else. And no .netrc:
        # it would give a stranger's endpoint the passwords of this machine's user.
        self.trust_env = False
        self.mount("http://", Adapter(line, https=False, allow_private=allow_private))
        self.mount("https://", Adapter(line, https=True, allow_private=allow_private))

    def get_redirect_target(self, _response: requests.Response) -> str | None:
        """Find none: to prepare a redirect, even one that it will not follow, requests reads the whole body."""
        return None
