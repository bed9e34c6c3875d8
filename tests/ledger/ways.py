"""Ways by which a message comes into a state, by the table."""

from smsgate.ledger.records import Record, Records, Result
from smsgate.states import FOLLOWS, State


def way_to(state: State) -> list[State]:
    """Find the shortest way from the queue; what is sent or reported had an attempt."""
    if state in (State.SENT, State.DELIVERED, State.UNDELIVERED):
        return [State.SENDING, state]
    ways = [[State.QUEUED]]
    while ways[0][-1] is not state:
        way = ways.pop(0)
        ways += [[*way, after] for after in sorted(FOLLOWS[way[-1]]) if after not in way]
    return ways[0][1:]


def brought_to(records: Records, record: Record, state: State, due: int | None = None) -> Record:
    """Accept a message and lead it into a state; `due` is when that one needs a look."""
    records.accept(record, slot=None)
    for step in way_to(state):
        move = records.move(
            record.id,
            step,
            at=record.accepted_at,
            fields={"attempts": 1, "channel": "provider"} if step is State.SENDING else None,
            due=due if step is state else None,
        )
        assert move.result is Result.MOVED
    known = records.read(record.id)
    assert known is not None
    return known
