"""One sandbox process for all tests that leave it as they found it."""

from collections.abc import Iterator

import pytest
from alibabacloud_dysmsapi20170525.client import Client

from smsgate.sandbox.process import SandboxProcess
from tests.integration.sandbox import sdk
from tests.integration.sandbox.receiver import Receiver

REPORT_DELAY = 0.05


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(report_delay=REPORT_DELAY, retry_delays="0.05,0.05,0.05") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    """The shared sandbox, empty and without faults or callbacks."""
    yield running_sandbox
    running_sandbox.clear_faults()
    running_sandbox.callbacks()
    running_sandbox.clear()


@pytest.fixture
def client(sandbox: SandboxProcess) -> Client:
    return sdk.client(sandbox.endpoint)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiving:
        yield receiving
