import pytest

from bench import wrk
from bench.report import CannotRun

SAID = """Running 5s test @ http://127.0.0.1:8000/v1/messages
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     7.84ms    2.10ms  45.13ms   91.80%
    Req/Sec     8.11k   612.41     9.20k    70.00%
  Latency Distribution
     50%    7.42ms
     75%    8.30ms
     90%    9.71ms
     99%   1.20s 
  40362 requests in 5.01s, 9.55MB read
Requests/sec:   8056.31
Transfer/sec:      1.91MB
"""  # noqa: W291 - wrk pads what it prints


def test_rate_and_percentiles_are_read_in_requests_a_second_and_milliseconds() -> None:
    assert wrk.read(SAID) == wrk.Load(rate=8056.31, p50=7.42, p99=1200.0)


def test_microseconds_and_minutes_are_read() -> None:
    said = SAID.replace("7.42ms", "420.00us").replace("1.20s ", "1.50m ")
    assert (wrk.read(said).p50, wrk.read(said).p99) == (0.42, 90_000.0)


def test_answers_and_sockets_that_went_wrong_are_told() -> None:
    said = SAID.replace(
        "Requests/sec",
        "  Socket errors: connect 0, read 3, write 0, timeout 9\n  Non-2xx or 3xx responses: 2\nRequests/sec",
    )
    assert wrk.read(said).wrong == ("Socket errors: connect 0, read 3, write 0, timeout 9; Non-2xx or 3xx responses: 2")


def test_what_is_no_report_of_wrk_is_refused() -> None:
    with pytest.raises(ValueError, match="something else"):
        wrk.read("unable to connect to 127.0.0.1:8000 Connection refused")


def test_a_machine_without_wrk_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotRun, match="apt-get install wrk"):
        wrk.load("http://127.0.0.1:1", {}, {}, connections=1, seconds=1)
