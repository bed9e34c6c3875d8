from hypothesis import given
from hypothesis import strategies as st

from smsgate.ledger import pieces

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


@given(text=TEXTS)
def test_a_text_is_read_back_as_it_was(text: str) -> None:
    assert pieces.joined({"a": "1", "a1x": "2", **pieces.fields("a", text)}, "a") == text


@given(text=TEXTS)
def test_no_piece_is_longer_than_redis_keeps_compact(text: str) -> None:
    assert all(len(piece.encode()) <= pieces.LONGEST for piece in pieces.cut(text))
    assert len(list(pieces.cut(text))) <= len(text.encode()) // (pieces.LONGEST - 3) + 1
