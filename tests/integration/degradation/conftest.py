"""A gateway of real processes that degrades within seconds, by what its file declares."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.integration.nodes.gateway import IMPATIENT, SIGN, Gateway, worker_settings
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import clean_environment
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.nodes.starting import started, tended_by

# A database of the shared Redis; the other gateways' are named in tests/integration/conftest.py.
DATABASE = 15
DECLARED = """
[degradation]
codes_bulk_paused = 1
codes_notices_delayed = 2
codes_only = 4
raise_after = 0.5
lower_after = 1

[channels.main]
sign = "{sign}"
[channels.main.provider_options]
endpoint = "{endpoint}"
protocol = "http"
read_timeout_ms = 1500
"""


@pytest.fixture(scope="module")
def degradable(redis_node: RedisNode, tmp_path_factory: pytest.TempPathFactory, janitor: Janitor) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("degradable")
    file = folder / "smsgate.toml"
    with ExitStack() as stack:
        without = started(stack, redis_node, DATABASE, folder, janitor)
        file.write_text(DECLARED.format(sign=SIGN, endpoint=without.sandbox.endpoint), encoding="utf-8")
        settings = {**worker_settings(without.redis_url, without.sandbox), **IMPATIENT, "SMSGATE_CONFIG": str(file)}
        environment = clean_environment(**settings, SMSGATE_OTP_CONCURRENCY="3")
        yield tended_by(without, environment, stack, folder, janitor)
