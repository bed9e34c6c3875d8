"""What `smsgate doctor` looks at before the first message: each finding says what is wrong and what to do about it."""

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Final

import requests

from smsgate.channels.aliyun import account, failures
from smsgate.channels.aliyun.config import AliyunConfig
from smsgate.channels.aliyun.finding import Finding
from smsgate.channels.aliyun.sdk import credentials_of, session_for

__all__ = ["Finding", "check"]

# Seconds. The provider refuses a request whose date is 15 minutes off; a clock that drifts past a minute is on its way.
SKEW_TO_MEND: Final = 60
SKEW_REFUSED: Final = 900
# Real key ids have 16 characters and more; of a shorter one no part is shown.
SHORTEST_SHOWN: Final = 12

SET_KEYS: Final = "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or give the host a RAM role"
OPEN_THE_WAY: Final = "check endpoint and protocol, and DNS, firewall and proxy on the way to them"
SET_THE_CLOCK: Final = "run NTP on this host; at 15 minutes every send is refused"


def check(config: AliyunConfig, sign: str | None = None, template: str | None = None) -> list[Finding]:
    """Look at credentials, endpoint and clock, then ask the provider about the key, and the sign and template if given.

    Where credentials or endpoint fail, nothing is asked. Raises nothing for what the provider, the network or missing
    credentials do; shows no key, and of its id only the ends.
    """
    credentials, endpoint, *clock = (_credentials(config), *_endpoint(config))
    asked = account.ask(config, sign, template) if credentials.ok and endpoint.ok else ()
    return [credentials, endpoint, *clock, *asked]


def _credentials(config: AliyunConfig) -> Finding:
    names = (config.key_id_env, config.key_secret_env)
    try:
        found = credentials_of(config).get_credential()
    except Exception:  # noqa: BLE001 - each source in the chain has errors of its own, with its URL in their text
        if all(names):
            return Finding("credentials", ok=False, detail="none found", fix=f"set {names[0]} and {names[1]}")
        return Finding("credentials", ok=False, detail="none found in the SDK's default chain", fix=SET_KEYS)
    return Finding("credentials", ok=True, detail=f"{found.provider_name}, key {masked(found.access_key_id)}")


def masked(key_id: str) -> str:
    """Show the ends of a key id that is long enough to keep its middle to itself."""
    return f"{key_id[:4]}****{key_id[-2:]}" if len(key_id) >= SHORTEST_SHOWN else "*" * len(key_id)


def _endpoint(config: AliyunConfig) -> Iterator[Finding]:
    asked_at = time.time()
    try:
        date = _date(config)
    except requests.RequestException as error:
        known = failures.transport_outcome(error)
        detail = f"{config.endpoint} does not answer: {known.reason if known else type(error).__name__}"
        yield Finding("endpoint", ok=False, detail=detail, fix=OPEN_THE_WAY)
    else:
        yield Finding("endpoint", ok=True, detail=f"{config.endpoint} answers")
        yield _clock(date, (asked_at + time.time()) / 2)


def _date(config: AliyunConfig) -> str:
    """Ask the endpoint for anything, by the way that the SDK goes: any answer has the date on it."""
    with session_for(config) as session:
        timeout = (config.connect_timeout_ms / 1000, config.read_timeout_ms / 1000)
        answer = session.get(f"{config.protocol}://{config.endpoint}/", timeout=timeout)
    return answer.headers.get("Date", "")


def _clock(date: str, here: float) -> Finding:
    try:
        skew = round(here - parsedate_to_datetime(date).timestamp())
    except ValueError:
        return Finding("clock", ok=True, detail="the endpoint names no time to compare with", fix=SET_THE_CLOCK)
    detail = f"{abs(skew)} s {'ahead of' if skew > 0 else 'behind'} the provider"
    if abs(skew) <= SKEW_TO_MEND:
        return Finding("clock", ok=True, detail=detail)
    return Finding("clock", ok=abs(skew) < SKEW_REFUSED, detail=detail, fix=SET_THE_CLOCK)
