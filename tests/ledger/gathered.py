"""Messages that leave together, as a test has them accepted."""

from smsgate.flow.gathering import Gathering
from smsgate.flow.submit import Submit
from smsgate.ledger.groups import Groups
from smsgate.ledger.record import Claim, Gathers
from smsgate.ledger.records import Record, Records
from smsgate.message import Message, MessageId

# Up to a hundred, the first after two seconds.
USUAL = Gathers(100, 2000)


def claim(at: int) -> Claim:
    return Claim(at, at, at + 60_000, ("provider",), 5, 0)


def number(place: int) -> str:
    return f"139{place:08d}"


def gathered(submit: Submit, count: int, *, first: int = 0, client: str = "", **fields: object) -> list[MessageId]:
    """Have messages accepted one by one, each to a number of its own."""
    made = [
        Message.check({"to": number(place), "template": "T", "params": {"n": str(place)}, "lane": "bulk", **fields})
        for place in range(first, first + count)
    ]
    return [submit(message, client=client, message_id=f"m{first + place}").id for place, message in enumerate(made)]


def gathering(groups: Groups, how: Gathers = USUAL) -> Gathering:
    return Gathering(groups, how)


def read(records: Records, message_id: str) -> Record:
    known = records.read(MessageId(message_id))
    assert known is not None
    return known
