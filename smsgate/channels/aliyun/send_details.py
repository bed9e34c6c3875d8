"""QuerySendDetails: asking the provider for a message that may have been sent.

It can be asked only for all that one number was sent on one day of Shanghai; our message is the one with our OutId.
The worst mistake here would be a false `Unknown`, on which the message goes out a second time. So `Unknown` takes a
list that was read to its end on each day that the provider may have stamped an attempt with, and whatever is odd is
`NoAnswer`.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, assert_never

from alibabacloud_dysmsapi20170525.models import QuerySendDetailsRequest

from smsgate.channels.aliyun.call import Answer, call
from smsgate.channels.aliyun.config import AliyunConfig
from smsgate.channels.aliyun.days import days_of, is_too_old
from smsgate.channels.aliyun.details import Page, page_of
from smsgate.channels.channel import Inquiry
from smsgate.channels.failure import no_answer
from smsgate.channels.verdicts import trace_of
from smsgate.outcome import Fault
from smsgate.receipt import Receipt
from smsgate.trace import Known, NoAnswer, Trace

# The provider's largest, and with it 1,000 messages to one number on one day; its own limits allow far fewer.
PAGE_SIZE: Final = 50
MOST_PAGES: Final = 20


def find(config: AliyunConfig, inquiry: Inquiry) -> Trace:
    """Look for a message on each day of its attempts; sends nothing, never raises for provider or network."""
    days = days_of(inquiry)
    if is_too_old(days[0], now=time.time()):
        return NoAnswer("too_old", Fault.MESSAGE)
    verdicts: list[Receipt | None] = []
    for page in _pages(config, inquiry, days):
        match page:
            case Page():
                verdicts.extend(page.verdicts)
            case NoAnswer():
                # What has been seen stays true, the verdict apart: the entry that counts may be among the rest.
                return Known(None) if verdicts else page
            case never:
                assert_never(never)
    return trace_of(verdicts)


def _pages(config: AliyunConfig, inquiry: Inquiry, days: Sequence[date]) -> Iterator[Page | NoAnswer]:
    """Turn the pages of all days; an answer that is none, or a list that does not add up, is the last."""
    for day in days:
        seen = 0
        for number in range(1, MOST_PAGES + 1):
            page = _page(config, inquiry, day, number)
            yield page
            if isinstance(page, NoAnswer):
                return
            seen += page.length
            if seen == page.total:
                break
            if seen > page.total or page.length < PAGE_SIZE:
                yield NoAnswer("contradictory_answer", Fault.PROVIDER)
                return
        else:
            yield NoAnswer("too_many_messages", Fault.RECIPIENT)
            return


def _page(config: AliyunConfig, inquiry: Inquiry, day: date, number: int) -> Page | NoAnswer:
    request = request_of(inquiry, day, number)
    answer = call(config, lambda client, options: client.query_send_details_with_options(request, options))
    return page_of(answer.body, inquiry) if isinstance(answer, Answer) else no_answer(answer)


def request_of(inquiry: Inquiry, day: date, page: int) -> QuerySendDetailsRequest:
    """Ask for one page of what a number was sent on one day; the mainland's number is wanted bare."""
    return QuerySendDetailsRequest(
        phone_number=inquiry.phone.national,
        send_date=f"{day:%Y%m%d}",
        page_size=PAGE_SIZE,
        current_page=page,
    )
