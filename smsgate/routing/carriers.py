"""The carrier that a mainland number belonged to when its segment was handed out, and the country of any number."""

from enum import StrEnum
from functools import lru_cache
from typing import Final

import phonenumbers

from smsgate.phone import HOME_REGION, Phone

# All segments that are in use are some 400,000; those that one process meets again are far fewer. 10 MB at the most.
MOST_SEGMENTS: Final = 1 << 16
# `+86` and the segment: the network's three digits and the four of the home location register.
_SEGMENT_ENDS: Final = 10


class Carrier(StrEnum):
    """The mainland's carriers. A number may have been taken to another since: portability does not show in it."""

    MOBILE = "mobile"  # 中国移动
    UNICOM = "unicom"  # 中国联通
    TELECOM = "telecom"  # 中国电信
    BROADNET = "broadnet"  # 中国广电


# As the library names them in English.
_NAMES: Final = {
    "China Mobile": Carrier.MOBILE,
    "China Unicom": Carrier.UNICOM,
    "China Telecom": Carrier.TELECOM,
    "China Broadnet": Carrier.BROADNET,
}
# What the library (9.0.43) lacks of the ministry's table; a test holds both against it.
_MISSING: Final = {
    "1349": Carrier.TELECOM,  # satellite
    "146": Carrier.UNICOM,
    "148": Carrier.MOBILE,
    "149": Carrier.TELECOM,
    "162": Carrier.TELECOM,  # virtual operators
    "165": Carrier.MOBILE,  # likewise
}


def carrier_of(phone: Phone) -> Carrier | None:
    """Tell which carrier handed a mainland number out; None abroad and where its segment is nobody's.

    A virtual operator's number (162, 165, 167, 170, 171) is its network's. Since 2019 a number may be taken along to
    another carrier (携号转网), and only the carriers know which: about that the segment says nothing.

    Source: phonenumbers' carrier data, and for what it lacks 工业和信息化部, 我国公众移动通信网网号及H0分配情况
    (截至2023年3月底), published on 2023-06-05: zh.wikisource.org has it under this title. 0.3 µs for a segment that
    was met before, 10 µs for a new one. The first loads the library's data: 11 MB and 20 ms, once in a process, and
    none in a process that never asks.
    """
    return _of_segment(phone[:_SEGMENT_ENDS]) if phone.is_mainland else None


def country_of(phone: Phone) -> str:
    """Tell a number's ISO region such as `CN`; '' for a calling code of no country, such as satellite phones'.

    Where several share a calling code (`+1`, `+44`, `+7`, …) the whole number is looked up, in some 30 µs.
    """
    if phone.is_mainland:
        return HOME_REGION
    regions = _regions(phone[1:4])
    if len(regions) == 1:
        return regions[0]
    region = phonenumbers.region_code_for_number(phonenumbers.parse(phone)) if regions else None
    return region or ""


@lru_cache(maxsize=MOST_SEGMENTS)
def _of_segment(written: str) -> Carrier | None:
    from phonenumbers import carrier  # noqa: PLC0415 - the data of all countries: nobody pays who does not ask

    national = written[3:]
    missing = _MISSING.get(national[:3]) or _MISSING.get(national[:4])
    if missing:
        return missing
    number = phonenumbers.PhoneNumber(country_code=86, national_number=int(national.ljust(11, "0")))
    return _NAMES.get(carrier.name_for_number(number, "en"))


@lru_cache(maxsize=1000)
def _regions(digits: str) -> tuple[str, ...]:
    """Name the regions of the calling code that these three digits begin with: no code begins with another."""
    known = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    found = next((known[int(digits[:n])] for n in (1, 2, 3) if int(digits[:n]) in known), ())
    return tuple(region for region in found if region != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY)
