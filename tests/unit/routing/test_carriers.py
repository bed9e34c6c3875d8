import subprocess
import sys

import pytest

from smsgate.phone import Phone, parse
from smsgate.routing.carriers import Carrier, carrier_of, country_of

# 工业和信息化部, 我国公众移动通信网网号及H0分配情况(截至2023年3月底): three digits, or more where they are shared.
MINISTRY = {
    Carrier.TELECOM: "133 149 153 162 173 177 180 181 189 190 191 193 199 1700 1701 1702 1740 13492 13493 13499",
    Carrier.MOBILE: "1340 1341 1342 1343 1344 1345 1346 1347 1348 135 136 137 138 139 147 148 150 151 152 157 158 159 "
    "165 1703 1705 1706 172 178 182 183 184 187 188 195 197 198",
    Carrier.UNICOM: "130 131 132 145 146 155 156 166 167 1704 1707 1708 1709 171 175 176 185 186 196",
    Carrier.BROADNET: "192",
}
SEGMENTS = [(carrier, segment) for carrier, listed in MINISTRY.items() for segment in listed.split()]


@pytest.mark.parametrize(("carrier", "segment"), SEGMENTS)
def test_a_segment_is_the_carriers_whose_the_ministry_says_it_is(carrier: Carrier, segment: str) -> None:
    assert carrier_of(Phone("+86" + segment.ljust(11, "0"))) is carrier
    if segment != "1740":  # of this one six tenths only
        assert carrier_of(Phone("+86" + segment.ljust(11, "9"))) is carrier


@pytest.mark.parametrize("number", ["17406000000", "17410000000", "17490000000", "19400000000"])
def test_a_segment_of_no_carrier_has_none(number: str) -> None:
    assert carrier_of(Phone(f"+86{number}")) is None


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("13800138000", "CN"),
        ("+85251234567", "HK"),
        ("+85366123456", "MO"),
        ("+886912345678", "TW"),
        ("+6591234567", "SG"),
        ("+12025550123", "US"),
        ("+14165550123", "CA"),
        ("+12423591234", "BS"),
        ("+447400123456", "GB"),
        ("+79161234567", "RU"),
        ("+77011234567", "KZ"),
        ("+88216123456", ""),
    ],
)
def test_a_number_is_of_its_country(number: str, country: str) -> None:
    phone = Phone(number) if country == "" else parse(number)
    assert country_of(phone) == country
    if country != "CN":
        assert carrier_of(phone) is None


def test_nobody_loads_the_carriers_of_the_world_who_does_not_ask() -> None:
    program = "import sys, smsgate.routing.pick, workers.tasks; print('phonenumbers.carrier' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
