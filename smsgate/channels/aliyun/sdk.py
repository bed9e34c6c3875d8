"""The SDK inside this process: the only place that opens its client and knows its inner parts.

What it takes to use the SDK safely, each point measured or read in its source:

- Its connections live in process-wide dicts. A child forked after a call shares sockets with its parent and reads other
  processes' answers (48 of 50 calls got a foreign BizId), so a child starts without sessions and clients.
- It takes HTTP_PROXY and HTTPS_PROXY from the environment and ignores NO_PROXY. A session of ours honours NO_PROXY
  (as it was when the client was opened) and never sends a loopback endpoint, such as the sandbox, through a proxy.
- Its read timeout is for each read: an adapter of ours limits the whole answer (see deadline).
- Its session follows redirects, which would carry number and code to wherever a middlebox points. Ours does not.
- Its loggers, and urllib3's, print URLs (number and code), Authorization headers and causes: they are silenced here.
- Its retries are off by default and stay off: SendSms is not idempotent.
"""

import logging
import os
import threading
from typing import Any, Final

from alibabacloud_credentials.client import Client as Credentials
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.core import DaraCore
from darabonba.runtime import RuntimeOptions
from Tea.core import TeaCore

from smsgate.channels.aliyun.config import AliyunConfig
from smsgate.channels.aliyun.key import Key
from smsgate.channels.session import Session

# Logger → the least level that still speaks. The first three bring handlers of their own, two of them at DEBUG, which
# print the Authorization header when DEBUG=sdk is set; urllib3 writes whole URLs at DEBUG and WARNING.
LOUDEST: Final[dict[str, int]] = {
    "darabonba-core": logging.CRITICAL + 1,
    "alibabacloud-tea": logging.CRITICAL + 1,
    "credentials": logging.CRITICAL + 1,
    "urllib3": logging.ERROR,
    "apscheduler": logging.WARNING,  # refreshes a role's credentials, and would say so every minute
}

# One client per process and way to the provider: as the SDK's own connections belong to the process, so does this.
_CLIENTS: Final[dict[AliyunConfig, Client]] = {}
_OPENING: Final = threading.Lock()


def client_for(config: AliyunConfig) -> Client:
    """Give this process's client, and open it on the first call.

    Opening finds no credentials yet: the SDK looks for them when it signs.
    """
    if config not in _CLIENTS:
        with _OPENING:
            if config not in _CLIENTS:
                _CLIENTS[config] = _open(config)
    return _CLIENTS[config]


def credentials_of(config: AliyunConfig) -> Any:
    """Give what the SDK asks for a key: the variables that the config names, or the SDK's default chain."""
    if config.key_id_env and config.key_secret_env:
        return Key(config.key_id_env, config.key_secret_env)
    return Credentials()


def session_for(config: AliyunConfig) -> Session:
    """Open a session of ours, by the certificates that the SDK trusts."""
    context: Any = DaraCore.get_adapter(config.protocol.upper()).ssl_context
    return Session(config, context)


def _open(config: AliyunConfig) -> Client:
    client = Client(Config(credential=credentials_of(config), endpoint=config.endpoint, protocol=config.protocol))
    # The SDK takes no session of ours, so it finds one under the key that it would use itself.
    key = f"{config.protocol}://{config.endpoint}:80:pool={config.pool_size}"
    DaraCore._sessions[key] = session_for(config)  # noqa: SLF001 - see above; darabonba-core's minor is pinned for it
    return client


def runtime_for(config: AliyunConfig) -> RuntimeOptions:
    """Give the options of one call; of all that RuntimeOptions offers the SDK obeys few, these among them."""
    return RuntimeOptions(
        connect_timeout=config.connect_timeout_ms,
        read_timeout=config.read_timeout_ms,
        max_idle_conns=config.pool_size,
    )


def silence() -> None:
    """Keep the loggers of the SDK and of its transport from writing numbers, codes and keys."""
    for name, level in LOUDEST.items():
        logging.getLogger(name).setLevel(level)


def _start_afresh() -> None:
    DaraCore._sessions.clear()  # noqa: SLF001 - the SDK offers no other way to let go of its connections
    TeaCore._sessions.clear()  # noqa: SLF001 - likewise
    _CLIENTS.clear()
    _OPENING.release()


# A module is imported once, so this is registered once. Holding the lock over the fork, no child inherits it locked.
os.register_at_fork(before=_OPENING.acquire, after_in_parent=_OPENING.release, after_in_child=_start_afresh)
silence()
