import pytest

from bench import figures


def test_a_figure_taken_several_times_shows_its_median_and_its_bounds() -> None:
    assert figures.of([1200.4, 990.0, 2000.0]).written == "1,200 (990 to 2,000)"


def test_a_figure_taken_once_shows_no_bounds() -> None:
    assert figures.of([3.14159]).written == "3.14"


def test_a_figure_that_was_never_taken_says_so_and_keeps_no_aim() -> None:
    nothing = figures.of([])
    assert nothing.written == "not measured"
    assert "short" in figures.against(nothing.median, 1.0, at_most=True)


def test_a_table_is_markdown_with_a_line_for_each_row() -> None:
    table = figures.table(("what", "rate"), [("ours", figures.of([250.0])), ("theirs", None), ("limit", 15_000)])
    assert table == "| what | rate |\n| --- | --- |\n| ours | 250 |\n| theirs |  |\n| limit | 15,000 |\n"


@pytest.mark.parametrize(
    ("part", "aim", "at_most", "written"),
    [
        (3.0, 2.5, False, "3.00 (aim ≥ 2.5)"),
        (2.0, 2.5, False, "2.00 (aim ≥ 2.5, **short**)"),
        (1.9, 2.0, True, "1.90 (aim ≤ 2)"),
        (28.8, 2.0, True, "28.8 (aim ≤ 2, **short**)"),
    ],
)
def test_a_ratio_that_falls_short_says_so(part: float, aim: float, at_most: bool, written: str) -> None:
    assert figures.ratio(part, 1.0, aim, at_most=at_most) == written


def test_a_ratio_to_nothing_falls_short() -> None:
    assert "short" in figures.ratio(1.0, 0.0, 2.5)
    assert "short" in figures.ratio(1.0, 0.0, 2.5, at_most=True)


def test_a_figure_beside_its_aim_has_its_unit() -> None:
    assert figures.against(20_555, 15_000, "/s") == "20,555/s (aim ≥ 15,000/s)"
