"""The page about the sandbox lists every setting, fault and magic number, and the truth about each."""

import re
from pathlib import Path
from typing import get_args

from smsgate.sandbox.faults.magic import MAGIC
from smsgate.sandbox.faults.specs import Asked
from smsgate.sandbox.settings import PREFIX, SIGNS, TEMPLATES, SandboxSettings

PAGE = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text()


def rows(first: str) -> dict[str, list[str]]:
    """Read the table rows whose first cell is code that matches, by that cell."""
    cells = [line.strip("|").split("|") for line in PAGE.splitlines() if re.match(rf"\| `{first}` \|", line)]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in cells}


def test_every_magic_number_is_listed_with_what_the_phone_has() -> None:
    listed = {number: row[-1] for number, row in rows(r"199\d{8}").items()}
    assert listed == {number: "yes" if fault.phone_receives else "no" for number, fault in MAGIC.items()}


def test_every_kind_of_fault_is_listed_with_its_fields() -> None:
    general = {"kind", "match", "probability", "seed", "count", "duration_seconds"}
    kinds = get_args(get_args(Asked)[0])
    for kind in kinds:
        name = get_args(kind.model_fields["kind"].annotation)[0]
        fields = rows("[a-z_]+")[name][0]
        assert set(kind.model_fields) - general <= set(re.findall(r"\w+", fields)), name


def test_every_setting_is_listed() -> None:
    assert set(rows(f"{PREFIX}[A-Z_]+")) == {PREFIX + name.upper() for name in SandboxSettings.model_fields}


def test_the_signs_and_templates_are_listed() -> None:
    for template in TEMPLATES:
        assert rows("SMS_[0-9]+")[template.code] == [template.kind, template.content]
    assert all(f"`{sign.name}`" in PAGE for sign in SIGNS)
