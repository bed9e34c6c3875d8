"""`smsgate batch` and `send_batch`: batches without HTTP, by the same step."""

import json
from pathlib import Path
from uuid import uuid4

from tests.integration.nodes.gateway import Gateway, fresh_phone
from tests.integration.nodes.until import until

TEMPLATE = "SMS_200000002"


def _run(gateway: Gateway, *words: str) -> tuple[int, str, str]:
    done = gateway.run("smsgate", "batch", *words, SMSGATE_REDIS_URL=gateway.redis_url)
    return done.returncode, done.stdout, done.stderr


def test_a_file_of_rows_is_sent_and_seen_from_the_terminal(tended: Gateway, tmp_path: Path) -> None:
    phones = [fresh_phone() for _ in range(3)]
    (tmp_path / "rows.csv").write_text(
        "to,name,discount\n" + "".join(f"{phone},王先生,8\n" for phone in (*phones, "12345")), encoding="utf-8"
    )
    status, out, told = _run(tended, "send", str(tmp_path / "rows.csv"), "--template", TEMPLATE)
    assert (status, told.splitlines()[0]) == (0, "3 of 4 rows accepted, 1 rejected.")
    assert "row 3: to: " in told
    batch = out.strip()
    until(lambda: "done" in _run(tended, "show", batch)[1], "the batch is done", 60)
    assert {len(tended.sandbox.messages(phone=phone)) for phone in phones} == {1}


def test_json_and_ndjson_are_read_too_and_a_key_sends_nothing_twice(tended: Gateway, tmp_path: Path) -> None:
    one, key = fresh_phone(), str(uuid4())
    row = {"to": one, "params": {"name": "n", "discount": "8"}}
    (tmp_path / "rows.json").write_text(json.dumps({"template": TEMPLATE, "messages": [row]}), encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text(json.dumps(row), encoding="utf-8")
    first = _run(tended, "send", str(tmp_path / "rows.json"), "--key", key)
    again = _run(tended, "send", str(tmp_path / "rows.jsonl"), "--template", TEMPLATE, "--key", key)
    assert (first[0], again[0], first[1]) == (0, 0, again[1])
    other = _run(tended, "send", str(tmp_path / "rows.jsonl"), "--template", "T", "--key", key)
    assert (other[0], "another batch" in other[2]) == (1, True)


def test_a_file_that_breaks_says_how_far_it_came_and_what_to_do(resting: Gateway, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"to,name\n13900000001,a\n13900000002,\xff\n")
    status, out, told = _run(resting, "send", str(tmp_path / "rows.csv"), "--template", TEMPLATE, "--key", str(uuid4()))
    assert status == 1
    assert "save the file as UTF-8" in told
    assert "with this --key" in told
    assert "13900000001" not in told
    assert len(out.split()) == 1


def test_a_file_that_is_no_utf_8_from_its_first_line_on_says_what_to_do_and_that_nothing_went(
    resting: Gateway, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_bytes("to,name\n13900000001,王\n".encode("gbk"))
    status, _, told = _run(resting, "send", str(tmp_path / "rows.csv"), "--template", TEMPLATE)
    assert status == 1
    assert "is not UTF-8; save the file as UTF-8 (in Excel: CSV UTF-8). Nothing was accepted." in told


def test_a_batch_is_paused_resumed_and_called_back_from_the_terminal(resting: Gateway, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("to\n13900000001\n", encoding="utf-8")
    batch = _run(resting, "send", str(tmp_path / "rows.csv"), "--template", TEMPLATE)[1].strip()
    for action, shown in (("pause", "paused"), ("resume", "open"), ("cancel", "cancelled"), ("cancel", "cancelled")):
        status, out, _ = _run(resting, action, batch)
        assert (status, shown in out) == (0, True), out
    assert _run(resting, "resume", batch)[0] == 1
    assert "There is no batch" in _run(resting, "show", "nothing")[2]


PROGRAM = """
import sys
from workers.tasks import send_batch
from smsgate.errors import InvalidMessage

def rows():
    for phone in sys.argv[1:]:
        yield {"to": phone, "params": {"name": "n", "discount": "7"}, "reference": "mine"}
    yield {"to": "12345"}
    yield "nonsense"

upload = send_batch(rows(), template="SMS_200000002", valid_for=600)
print(upload.id, upload.accepted, [one.index for one in upload.rejected])
try:
    send_batch([], template="no code!")
except InvalidMessage as error:
    print(error.errors[0].field)
assert not {"flask", "requests", "structlog", "ijson"} & set(sys.modules)
"""


def test_a_program_sends_an_iterable_and_learns_which_rows_are_none(tended: Gateway) -> None:
    phones = [fresh_phone() for _ in range(150)]
    done = tended.python(PROGRAM, *phones, SMSGATE_REDIS_URL=tended.redis_url)
    assert done.returncode == 0, done.stderr
    batch, accepted, rejected = done.stdout.splitlines()[0].split(" ", 2)
    assert (accepted, rejected, done.stdout.splitlines()[1]) == ("150", "[150, 151]", "template")
    until(lambda: tended.show(f"{batch}-149").get("state") == "delivered", "the last row is delivered", 60)
    assert tended.show(f"{batch}-7")["reference"] == "mine"
