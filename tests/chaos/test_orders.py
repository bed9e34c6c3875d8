"""What customers send is what they are said to send: a proof over the wrong load proves nothing."""

import json
from collections import Counter
from random import Random

from tests.chaos.orders import Order, orders


def _orders() -> list[Order]:
    return orders(1000, Random(4), in_batches=0.5)


def _rows(order: Order) -> list[dict[str, object]]:
    if order.media == "application/json":
        return list(json.loads(order.content)["messages"])
    return [json.loads(line) for line in order.content.splitlines()]


def test_no_two_messages_go_to_one_number_and_so_many_come_in_batches() -> None:
    numbers = [number for order in _orders() for number in order.wanted]
    assert len(set(numbers)) == len(numbers) == 1000
    assert sum(len(order.wanted) for order in _orders() if order.is_batch) == 500


def test_every_batch_has_one_row_that_is_no_message_and_the_rest_as_it_says() -> None:
    for order in filter(lambda one: one.is_batch, _orders()):
        written = [str(row["to"]).removeprefix("+") for row in _rows(order)]
        assert written == list(order.numbers)
        assert len(order.wanted) == len(order.numbers) - 1


def test_a_body_goes_over_the_line_whole_and_a_batch_in_pieces() -> None:
    for order in _orders():
        pieces = list(order.pieces())
        assert b"".join(pieces) == order.content
        assert (len(pieces) > 1) is order.is_batch


def test_clients_of_batches_meet_every_kind_of_bad_line_and_one_meets_none() -> None:
    def line(order: Order) -> tuple[bool, bool, bool]:
        return order.cut is not None, order.cut == len(order.content), order.hangs

    met = Counter(line(order) for order in _orders() if order.is_batch)
    assert met.keys() == {(False, False, False), (True, False, False), (True, True, False), (True, False, True)}


def test_rows_are_named_as_the_answer_says_and_those_that_are_rejected_are_not() -> None:
    order = next(one for one in _orders() if one.is_batch)
    ids = order.ids({"id": "b", "rejected": [{"index": 0}, {"index": 2}]})
    assert ids[order.numbers[1]] == "b-1"
    assert len(ids) == len(order.numbers) - 2
    assert order.numbers[2] not in ids
