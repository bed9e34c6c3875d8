"""Find the messages of reports that name them by the provider's id: our own id in them is the exception."""

from collections.abc import Sequence

from smsgate.channels.tencent.receipts import Report
from smsgate.ledger.provider_ids import ProviderIds
from smsgate.ledger.records import Record, Records
from smsgate.phone import Phone
from smsgate.receipt import Receipt


def receipts_of(
    reports: Sequence[Report], records: Records, provider_ids: ProviderIds
) -> list[tuple[Record, Receipt] | None]:
    """Give each report's message with its receipt; None where no message is known, or known yet.

    A report can be faster than the worker that writes down under which id the provider took the message.
    """
    noted = provider_ids.look_up([report.provider_id for report in reports])
    named = [
        (*((report.message_id,) if report.message_id else ()), *ids) for report, ids in zip(reports, noted, strict=True)
    ]
    known = records.read_those_readable(list({message_id for ids in named for message_id in ids}))
    found = []
    for report, ids in zip(reports, named, strict=True):
        record = next((one for one in map(known.get, ids) if is_meant(one, report.phone)), None)
        found.append(None if record is None else (record, report.receipt(record.id)))
    return found


def is_meant(record: Record | None, phone: Phone) -> bool:
    """Say whether a receipt of this phone may speak of a record.

    By `national`: some providers drop the country code, and some numbers are valid in two countries without it.
    """
    return record is not None and record.message is not None and record.message.to.national == phone.national
