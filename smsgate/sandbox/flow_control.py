"""How often one number may be written to: the provider's rolling windows, counted on accepted submission.

Source: the provider's page on sending frequency. One-time passwords: 1 a minute, 5 an hour and 10 a day for a
sign and number, 40 a day for a number over all signs. Notices and promotions: 50 a day for a sign, template and
number. Messages abroad are not limited.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from smsgate.sandbox.answers import Code, Rejection, refuse
from smsgate.sandbox.catalogue import Kind

_DAY: Final = 86_400.0

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """At most `permits` messages in any stretch of `seconds`."""

    name: str
    seconds: float
    permits: int

    def refusal(self) -> Rejection:
        return refuse(Code.BUSINESS_LIMIT_CONTROL, f"触发{self.name}级流控Permits:{self.permits}")


_OTP: Final = (Window("分钟", 60.0, 1), Window("小时", 3600.0, 5), Window("天", _DAY, 10))
_OTP_EVERY_SIGN: Final = (Window("天", _DAY, 40),)
_OTHERS: Final = (Window("天", _DAY, 50),)


class FlowControl:
    """Remember when each number was written to; forget the keys that were used longest ago."""

    def __init__(self, capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._sent: OrderedDict[Key, deque[float]] = OrderedDict()

    def admit(self, kind: Kind, template: str, messages: list[tuple[str, str]], now: float) -> None:
        """Count one message for each sign and number, all or none.

        Raises:
            Rejection: One of them has had its permits.
        """
        counted: list[deque[float]] = []
        try:
            for sign, phone in messages:
                for key, windows in _rules(kind, sign, template, phone):
                    counted.append(self._count(key, windows, now))
        except Rejection:
            for times in counted:
                times.pop()
            raise

    def clear(self) -> None:
        self._sent.clear()

    def _count(self, key: Key, windows: tuple[Window, ...], now: float) -> deque[float]:
        times = self._times(key)
        while times and times[0] <= now - _DAY:
            times.popleft()
        for window in windows:
            if sum(time > now - window.seconds for time in times) >= window.permits:
                raise window.refusal()
        times.append(now)
        return times

    def _times(self, key: Key) -> deque[float]:
        times = self._sent.setdefault(key, deque())
        self._sent.move_to_end(key)
        if len(self._sent) > self._capacity:
            self._sent.popitem(last=False)
        return times


def _rules(kind: Kind, sign: str, template: str, phone: str) -> list[tuple[Key, tuple[Window, ...]]]:
    match kind:
        case Kind.OTP:
            return [(("otp", sign, phone), _OTP), (("otp", phone), _OTP_EVERY_SIGN)]
        case Kind.NOTICE | Kind.PROMO:
            return [((kind, sign, template, phone), _OTHERS)]
        case Kind.INTERNATIONAL:
            return []
