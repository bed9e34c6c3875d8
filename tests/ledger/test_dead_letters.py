"""The list of dead letters: newest first, by filters, in pages that stay right while letters come and go."""

from collections.abc import Iterator

import pytest
import redis

from smsgate.flow.submit import draft
from smsgate.ledger import keys
from smsgate.ledger.dead_letters import Cursor, DeadLetters, Filter
from smsgate.ledger.records import Records
from smsgate.message import Lane, Message, MessageId
from smsgate.states import State

AT = 1_767_225_600_000
NO_MONEY = "isv.AMOUNT_NOT_ENOUGH"
NO_RIGHT = "isp.RAM_PERMISSION_DENY"


@pytest.fixture
def letters(store: redis.Redis, records: Records) -> DeadLetters:
    return DeadLetters(store, records)


def _die(records: Records, name: str, *, at: int = AT, reason: str = NO_MONEY, client: str = "", **fields: str) -> str:
    message = Message.check({"to": "13800138000", "template": "T", "params": {"code": "987654"}, **fields})
    records.accept(draft(message, MessageId(name), client=client, at=AT), slot=None)
    records.move(MessageId(name), State.DEAD, at=at, fields={"reason": reason}, detail={"reason": reason})
    return name


def _walk(letters: DeadLetters, which: Filter, limit: int, scan: int = 1000) -> Iterator[list[str]]:
    cursor = None
    while True:
        page = letters.page(which, limit=limit, cursor=cursor, scan=scan)
        yield [one.id for one in page.letters]
        cursor = page.next
        if cursor is None:
            return


def _all(letters: DeadLetters, which: Filter, limit: int = 100) -> list[str]:
    return [name for page in _walk(letters, which, limit) for name in page]


def test_there_are_none_where_none_died(letters: DeadLetters) -> None:
    page = letters.page(Filter(), limit=10)
    assert (page.letters, page.next) == ((), None)
    assert (letters.counts(Filter()).total, letters.counts(Filter()).complete) == (0, True)


def test_letters_are_listed_newest_first_and_the_last_page_says_so(records: Records, letters: DeadLetters) -> None:
    for number in range(6):
        _die(records, f"m{number}", at=AT + number)
    assert list(_walk(letters, Filter(), 4)) == [["m5", "m4", "m3", "m2"], ["m1", "m0"]]
    assert list(_walk(letters, Filter(), 3)) == [["m5", "m4", "m3"], ["m2", "m1", "m0"]]


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_letters_that_died_in_one_millisecond_are_each_listed_once(
    records: Records, letters: DeadLetters, limit: int
) -> None:
    names = {_die(records, name) for name in ("a", "aa", "B", "b", "_", "-", "Z9", "z", "0", "00")}
    listed = [name for page in _walk(letters, Filter(), limit) for name in page]
    assert sorted(listed) == sorted(names)


@pytest.mark.parametrize("gone", [["m3"], ["m2", "m3", "m4"], ["m0"]])
@pytest.mark.parametrize("apart", [0, 1])
def test_a_page_goes_on_in_its_place_when_letters_have_gone_and_come(
    records: Records, letters: DeadLetters, gone: list[str], apart: int
) -> None:
    for number in range(6):
        _die(records, f"m{number}", at=AT + number * apart)
    first = letters.page(Filter(), limit=3)
    assert [one.id for one in first.letters] == ["m5", "m4", "m3"]
    for name in gone:
        records.move(MessageId(name), State.CANCELLED, at=AT + 10)
    _die(records, "new", at=AT + 20)
    rest = letters.page(Filter(), limit=10, cursor=first.next)
    assert [one.id for one in rest.letters] == [name for name in ("m2", "m1", "m0") if name not in gone]


def test_a_letter_that_was_replayed_and_died_again_is_not_listed_by_its_old_place(
    records: Records, letters: DeadLetters
) -> None:
    for number in range(3):
        _die(records, f"m{number}", at=AT + number)
    first = letters.page(Filter(), limit=1)
    records.move(MessageId("m2"), State.QUEUED, at=AT + 5)
    records.move(MessageId("m2"), State.DEAD, at=AT + 6)
    rest = letters.page(Filter(), limit=10, cursor=first.next)
    assert [one.id for one in rest.letters] == ["m1", "m0"]
    assert _all(letters, Filter()) == ["m2", "m1", "m0"]


@pytest.mark.parametrize(
    ("which", "fitting"),
    [
        (Filter(), ["e", "d", "c", "b", "a"]),
        (Filter(reason=NO_MONEY), ["d", "b", "a"]),
        (Filter(reason="isp.*"), ["e", "c"]),
        (Filter(reason="isp."), []),
        (Filter(reason="*"), ["e", "d", "c", "b", "a"]),
        (Filter(template="OTHER"), ["b"]),
        (Filter(lane=Lane.OTP), ["c"]),
        (Filter(lane=Lane.NOTICE, reason=NO_RIGHT), ["e"]),
        (Filter(client="shop"), ["e", "c", "b", "a"]),
        (Filter(client="nobody"), ["c", "b", "a"]),
        (Filter(since=AT + 3), ["e", "d"]),
        (Filter(until=AT + 1), ["b", "a"]),
        (Filter(since=AT + 1, until=AT + 2), ["c", "b"]),
        (Filter(since=AT + 9), []),
    ],
)
@pytest.mark.parametrize("limit", [1, 100])
def test_filters_choose_letters(
    records: Records, letters: DeadLetters, which: Filter, fitting: list[str], limit: int
) -> None:
    _die(records, "a", at=AT)
    _die(records, "b", at=AT + 1, template="OTHER")
    _die(records, "c", at=AT + 2, reason=NO_RIGHT, lane="otp")
    _die(records, "d", at=AT + 3, client="bank")
    _die(records, "e", at=AT + 4, reason=NO_RIGHT, client="shop")
    assert _all(letters, which, limit) == fitting


def test_a_filter_that_fits_few_looks_at_so_many_and_hands_back_a_cursor(
    records: Records, letters: DeadLetters
) -> None:
    _die(records, "rare", at=AT, reason=NO_RIGHT)
    for number in range(1000):
        _die(records, f"m{number}", at=AT + 1 + number // 10)
    pages = list(_walk(letters, Filter(reason=NO_RIGHT), 10, scan=300))
    assert pages == [[], [], [], ["rare"]]


def test_a_cursor_goes_with_another_filter_too(records: Records, letters: DeadLetters) -> None:
    for number in range(6):
        _die(records, f"m{number}", at=AT + number)
    cursor = Cursor(AT + 4, MessageId("m4"))
    assert [one.id for one in letters.page(Filter(until=AT + 1), limit=9, cursor=cursor).letters] == ["m1", "m0"]
    assert [one.id for one in letters.page(Filter(since=AT + 3), limit=9, cursor=cursor).letters] == ["m3"]


def test_a_cursor_can_be_written_down(records: Records, letters: DeadLetters) -> None:
    cursor = Cursor(AT, MessageId("a-b_C"))
    assert Cursor.read(str(cursor)) == cursor
    for wrong in ("", "1", "1.", ".a", "x.a", "1.a b", f"{AT}.a\n", "9" * 30 + ".a"):
        with pytest.raises(ValueError, match="next"):
            Cursor.read(wrong)


def test_letters_are_counted_by_reason(records: Records, letters: DeadLetters) -> None:
    for number in range(3):
        _die(records, f"m{number}", at=AT + number)
    _die(records, "other", at=AT + 9, reason=NO_RIGHT, lane="otp")
    counts = letters.counts(Filter())
    assert (list(counts.by_reason.items()), counts.complete) == ([(NO_MONEY, 3), (NO_RIGHT, 1)], True)
    assert letters.counts(Filter(lane=Lane.OTP)).by_reason == {NO_RIGHT: 1}
    assert letters.counts(Filter(), most=3).complete is False
    assert letters.counts(Filter(), most=4).complete is True
    assert letters.died_since(AT + 2) == 2


def test_a_letter_whose_record_is_gone_is_taken_out(records: Records, letters: DeadLetters, store: redis.Redis) -> None:
    for number in range(3):
        _die(records, f"m{number}", at=AT + number)
    store.delete(keys.record(MessageId("m1")))
    assert _all(letters, Filter()) == ["m2", "m0"]
    assert store.zrange(keys.DEAD, 0, -1) == ["m0", "m2"]
    store.zadd(keys.DEAD, {"m1": AT})
    assert letters.counts(Filter()).total == 2
    assert store.zscore(keys.DEAD, "m1") is None
