"""The carrier that a mainland number belonged to when its segment was handed out."""

from enum import StrEnum


class Carrier(StrEnum):
    """The mainland's carriers. A number may have been taken to another since: portability does not show in it."""

    MOBILE = "mobile"  # 中国移动
    UNICOM = "unicom"  # 中国联通
    TELECOM = "telecom"  # 中国电信
    BROADNET = "broadnet"  # 中国广电
