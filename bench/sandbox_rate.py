"""How many SendSms a second one sandbox process answers: real server process, real signatures, real sockets.

Each run signs its requests beforehand (every one with a nonce of its own) and then sends them over keep-alive
connections from a second process, one request in flight a connection. Server and client are pinned to a CPU each
where there are two. What the server says it accepted must equal what was sent, or the run counts for nothing.
"""

import contextlib
import hashlib
import hmac
import multiprocessing
import os
import selectors
import socket
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from urllib.parse import quote, urlencode

from bench import figures
from bench.report import Report
from smsgate.sandbox.process import SandboxProcess

EMPTY = hashlib.sha256(b"").hexdigest()
SERVER_CPU, CLIENT_CPU = 0, 1
CONNECTIONS = 16


def pin(pid: int, cpu: int) -> None:
    """Keep a process on one CPU where the system can and there is more than one."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(pid, {cpu})


def signed_request(endpoint: str, number: int) -> bytes:
    """Write one SendSms as the SDK does, signed by ACS3-HMAC-SHA256."""
    parameters = {
        "OutId": f"bench-{os.getpid()}-{number}",
        "PhoneNumbers": f"138{number:08d}",
        "SignName": "阿里云短信测试",
        "TemplateCode": "SMS_154950909",
        "TemplateParam": '{"code":"123456"}',
    }
    headers = {
        "accept": "application/json",
        "host": endpoint,
        "user-agent": "AlibabaCloud (Linux; x86_64) Python/3.11 Core/0.4.6 TeaDSL/2",
        "x-acs-action": "SendSms",
        "x-acs-content-sha256": EMPTY,
        "x-acs-credentials-provider": "static_ak",
        "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "x-acs-signature-nonce": os.urandom(16).hex(),
        "x-acs-version": "2017-05-25",
    }
    names = ";".join(headers)
    query = "&".join(f"{name}={quote(value, safe='~')}" for name, value in parameters.items())
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"POST\n/\n{query}\n{lines}\n{names}\n{EMPTY}"
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.new(b"testsecret", to_sign.encode(), "sha256").hexdigest()
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"POST /?{urlencode(parameters)} HTTP/1.1\r\n{head}Authorization: ACS3-HMAC-SHA256 Credential=testid,"
        f"SignedHeaders={names},Signature={signature}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


@dataclass(slots=True)
class Line:
    """One keep-alive connection with one request in flight."""

    socket: socket.socket
    requests: Iterator[bytes]
    sent_at: float = 0.0
    received: bytes = b""
    latencies: list[float] = field(default_factory=list)
    failures: int = 0

    def send_next(self) -> bool:
        request = next(self.requests, None)
        if request is None:
            return False
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)
        return True

    def read(self) -> bool:
        """Take in what has come; say whether the answer is complete."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the sandbox closed the connection")
        self.received += piece
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return False
        self.latencies.append(time.perf_counter() - self.sent_at)
        self.failures += b'"Code":"OK"' not in body
        self.received = b""
        return True


def drive(endpoint: str, amount: int, connections: int, result: Connection) -> None:
    """Send `amount` requests and report wall time, failures and latencies."""
    pin(0, CLIENT_CPU)
    requests = iter([signed_request(endpoint, number) for number in range(amount)])
    host, port = endpoint.split(":")
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as open_lines:
        lines = []
        for _ in range(connections):
            connection = open_lines.enter_context(socket.create_connection((host, int(port))))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            lines.append(Line(connection, requests))
            selector.register(connection, selectors.EVENT_READ, lines[-1])
        began = time.perf_counter()
        busy = sum(line.send_next() for line in lines)
        while busy:
            for key, _ in selector.select():
                line: Line = key.data
                if line.read() and not line.send_next():
                    busy -= 1
        took = time.perf_counter() - began
    result.send((took, sum(line.failures for line in lines), [each for line in lines for each in line.latencies]))


def measure(amount: int, connections: int) -> tuple[float, float]:
    """Run once against a fresh server; give back requests a second and the 99th percentile in ms."""
    with SandboxProcess(capacity=amount, report_delay=1.0) as sandbox:
        pin(sandbox.pid, SERVER_CPU)
        ours, theirs = multiprocessing.Pipe(duplex=False)
        client = multiprocessing.Process(target=drive, args=(sandbox.endpoint, amount, connections, theirs))
        client.start()
        took, failures, latencies = ours.recv()
        client.join()
        accepted = sandbox.stats()["messages"]["accepted"]
    if failures or accepted != amount:
        raise SystemExit(f"{failures} failed, {accepted} of {amount} accepted")
    return amount / took, statistics.quantiles(latencies, n=100)[98] * 1000


def run(*, quick: bool = False) -> Report:
    """Measure what the provider that everything else is measured against can take."""
    amount, runs = (5_000, 1) if quick else (20_000, 3)
    rates, tails = zip(*(measure(amount, CONNECTIONS) for _ in range(runs)), strict=True)
    return Report(
        "What the sandbox takes",
        figures.table(("SendSms a second", "P99 ms"), [(figures.of(rates), figures.of(tails))]),
        notes=(f"{runs} runs of {amount:,} SendSms over {CONNECTIONS} connections; one process, a CPU each.",),
    )


if __name__ == "__main__":
    print(run().text)
