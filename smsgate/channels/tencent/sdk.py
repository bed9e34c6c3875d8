"""The SDK inside this process: the only place that opens its client and knows its inner parts.

What it takes to use the SDK safely, each point measured or read in its source (3.1):

- Its session belongs to the client, and its sockets to the process that opened them: a child of a fork starts afresh.
- It takes a proxy from the environment once, and NO_PROXY as a text to search for the host in. A session of ours
  honours NO_PROXY and never sends a loopback endpoint, such as the sandbox, through a proxy.
- It has one timeout, which goes to requests as it is: a pair tells connect from read. Both are for each read: an
  adapter of ours limits the whole answer (see smsgate.channels.deadline).
- Its session follows redirects, and would take a password for the host out of ~/.netrc in place of the signature.
- Its logger writes number, variables and Authorization at DEBUG, urllib3's writes URLs: they are silenced here.
- Its retries and its breaker, which would change the region, are off by default and stay off: SendSms is not
  idempotent.
"""

import logging
import os
import ssl
import threading
from typing import Any, Final

import certifi
from tencentcloud.common.credential import Credential  # type: ignore[import-untyped]
from tencentcloud.common.profile.client_profile import ClientProfile  # type: ignore[import-untyped]
from tencentcloud.common.profile.http_profile import HttpProfile  # type: ignore[import-untyped]
from tencentcloud.sms.v20210111.sms_client import SmsClient  # type: ignore[import-untyped]

from smsgate.channels.session import Session
from smsgate.channels.tencent.config import TencentConfig

# Logger → the least level that still speaks.
LOUDEST: Final[dict[str, int]] = {"tencentcloud_sdk_common": logging.CRITICAL + 1, "urllib3": logging.ERROR}

# One client per process and config.
_CLIENTS: Final[dict[TencentConfig, SmsClient]] = {}
_OPENING: Final = threading.Lock()


class NoCredentials(Exception):
    """The variables that hold the key are not set, or hold none."""


class Key:
    """The key as the environment has it when a request is signed, in the form in which the SDK asks for it."""

    def __init__(self, config: TencentConfig) -> None:
        self._names: Final = (config.key_id_env, config.key_secret_env)

    def get_credential_info(self) -> tuple[str, str, None]:
        key_id, secret = (os.environ.get(name) for name in self._names)
        try:
            Credential(key_id, secret)  # refuses blanks, and spaces at the ends
        except Exception:  # noqa: BLE001 - whatever is wrong with them, there are none
            raise NoCredentials from None
        return str(key_id), str(secret), None


def client_for(config: TencentConfig) -> Any:
    """Give this process's client, and open it on the first call; the key is read when it signs."""
    if config not in _CLIENTS:
        with _OPENING:
            if config not in _CLIENTS:
                _CLIENTS[config] = _open(config)
    return _CLIENTS[config]


def _open(config: TencentConfig) -> SmsClient:
    timeout: Any = (config.connect_timeout_ms / 1000, config.read_timeout_ms / 1000)
    http = HttpProfile(protocol=config.protocol, endpoint=config.endpoint, reqTimeout=timeout)
    client = SmsClient(Key(config), config.region, ClientProfile(httpProfile=http))
    # The SDK takes no session of ours, so it finds one in the place of its own.
    connection: Any = client.request.conn
    connection.proxy = None
    connection._session = _session(config)  # noqa: SLF001 - see above
    return client


def _session(config: TencentConfig) -> Session:
    session = Session(config, ssl.create_default_context(cafile=certifi.where()))
    session.auth = _signed_already
    return session


def _signed_already(request: Any) -> Any:
    return request


def silence() -> None:
    """Keep the loggers of the SDK and of its transport from writing numbers, codes and keys."""
    for name, level in LOUDEST.items():
        logging.getLogger(name).setLevel(level)


def _start_afresh() -> None:
    _CLIENTS.clear()
    _OPENING.release()


# A module is imported once, so this is registered once. Holding the lock over the fork, no child inherits it locked.
os.register_at_fork(before=_OPENING.acquire, after_in_parent=_OPENING.release, after_in_child=_start_afresh)
silence()
