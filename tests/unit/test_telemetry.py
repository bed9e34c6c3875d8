import json
import subprocess
import sys
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uuid_utils import uuid7

from smsgate.phone import Phone, parse
from smsgate.telemetry import mask_numbers

NUMBER = "13800138000"
SOME = settings(max_examples=200, deadline=None)


def _masked(value: Any) -> Any:
    return mask_numbers(None, "info", {"event": value})["event"]


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        f"+86{NUMBER}",
        f"86{NUMBER}",
        f"0086{NUMBER}",
        f"+86-{NUMBER}",
        f"sent to {NUMBER}.",
        f"{NUMBER},{NUMBER}",
        f"({NUMBER})",
        f"号码{NUMBER}已停机",
        f'{{"PhoneNumbers":"{NUMBER}"}}',
        f"https://host/?PhoneNumbers={NUMBER}&SignName=x",
        f"user_{NUMBER}",
    ],
)
def test_a_mainland_number_in_a_text_is_masked(text: str) -> None:
    assert NUMBER not in _masked(text)
    assert "****" in _masked(text)


@pytest.mark.parametrize(
    "text",
    [
        f"https://host/?PhoneNumbers=%2B86{NUMBER}&SignName=x",
        f"GET&%2F&PhoneNumbers%3D{NUMBER}%26SignName%3Dx",  # the text that a request's signature is made of
        f"%22{NUMBER}%22",
    ],
)
def test_a_number_in_a_percent_encoded_text_is_masked(text: str) -> None:
    assert NUMBER not in _masked(text)


@pytest.mark.parametrize("text", [repr(f"\n{NUMBER}\t"), repr(f"\t+86{NUMBER}")])
def test_a_number_after_an_escaped_line_end_is_masked(text: str) -> None:
    assert NUMBER not in _masked(text)


@pytest.mark.parametrize("text", ["138 0013 8000", "138-0013-8000", "+86 138 0013 8000"])
def test_a_number_written_in_groups_is_masked(text: str) -> None:
    assert "0013" not in _masked(f"to {text}.")


@pytest.mark.parametrize(
    "value",
    [
        {"to": NUMBER},
        {"a": {"b": [{"c": (NUMBER,)}]}},
        {NUMBER: "x"},
        [[NUMBER]],
        {parse(NUMBER)},
        (parse(NUMBER), {"x": Phone("+85251234567")}),
        frozenset({NUMBER}),
    ],
)
def test_a_number_is_masked_however_deep(value: Any) -> None:
    shown = repr(_masked(value))
    assert NUMBER not in shown
    assert "51234567" not in shown


def test_a_phone_of_any_country_is_masked_by_its_type() -> None:
    assert _masked(Phone("+85251234567")) == "+852****4567"


@SOME
@given(value=st.uuids())
def test_a_uuid_is_left_alone(value: UUID) -> None:
    assert _masked(str(value)) == str(value)
    assert _masked(value.hex) == value.hex


def test_our_own_message_ids_are_left_alone() -> None:
    ids = [str(uuid7()) for _ in range(500)]
    assert _masked(ids) == ids


@SOME
@given(at=st.integers(min_value=1_300_000_000_000, max_value=1_999_999_999_999))
def test_unix_times_are_left_alone(at: int) -> None:
    for text in (str(at), f"{at / 1000:.3f}", str(at // 1000), f"2026-01-02T03:04:05.{at % 1000:03d}Z", f"{at}000"):
        assert _masked(text) == text
    assert _masked(at) == at


@SOME
@given(text=st.text())
def test_a_text_without_a_number_is_left_alone(text: str) -> None:
    if not any(sign.isdecimal() for sign in text):
        assert _masked(text) == text


# In a process of its own, since logging is configured once for all.
LOG_LINES = """
import logging, structlog
from smsgate import telemetry
from smsgate.phone import parse

telemetry.configure("INFO", form="{form}")
log = structlog.get_logger()


class Revealing:
    def __repr__(self):
        return "<13800138000>"


log.info("phone", to=parse("13800138000"))
log.info("sent to 13800138000")
logging.getLogger("library").warning("to %s", "13800138000")
logging.getLogger("library").warning("to %s", parse("13800138000"))
with structlog.contextvars.bound_contextvars(phone=parse("13800138000")):
    log.info("bound")
try:
    raise ValueError("13800138000")
except ValueError:
    log.exception("ours")
    logging.getLogger("library").exception("theirs")
log.info("object", error=ValueError("13800138000"), thing=Revealing(), raw=b"13800138000")
"""


def _logged(form: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOG_LINES.format(form=form)], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stderr.splitlines()


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_log_line_shows_a_number_whoever_wrote_it_and_as_what(form: str) -> None:
    assert [line for line in _logged(form) if NUMBER in line] == []


def test_a_log_line_is_a_json_object_with_time_level_and_event() -> None:
    known = [json.loads(line) for line in _logged("json")]
    assert {"timestamp", "level", "event"} <= set.intersection(*map(set, known))
    assert [one["event"] for one in known if one["event"] in ("ours", "theirs")] == ["ours", "theirs"]
