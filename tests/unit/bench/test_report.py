from pathlib import Path

from bench.report import summary


def test_the_summary_has_the_aims_of_every_page_kept_or_not(tmp_path: Path) -> None:
    (tmp_path / "accept.md").write_text(
        "# Accepting\n\n| a |\n\n- single: 3.00 (aim ≥ 2.5)\n\nA note.\n", encoding="utf-8"
    )
    (tmp_path / "cost.md").write_text("# Cost\n\n- bytes: 900 (aim ≤ 800, **short**)\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("# What was measured\n\n- of last time\n", encoding="utf-8")
    lines = [line for line in summary(tmp_path).splitlines() if line][2:]
    assert lines == [
        "## [Accepting](accept.md)",
        "- single: 3.00 (aim ≥ 2.5)",
        "## [Cost](cost.md)",
        "- bytes: 900 (aim ≤ 800, **short**)",
    ]
