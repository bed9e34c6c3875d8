"""Tencent Cloud SMS (sms 2021-01-11) as a channel, through the official SDK.

config        where and how to reach the provider, and as whom
channel       the channel itself; light to import, the SDK comes with the first message
send_sms      one SendSms call, from our submission to our outcome
send_status   PullSmsSendStatusByPhoneNumber: asking for a message that may have been sent
call          one call of the SDK: its answer, or what its failure means
sdk           the SDK's one client per process: keys, forks, sessions, proxies, loggers
codes         the provider's error codes → ours
failures      the SDK's exceptions → ours
receipts      what the provider pushes to us: reports on what we sent and replies
reports       the codes in a report → our reasons
"""

from smsgate.channels.tencent.channel import TencentChannel
from smsgate.channels.tencent.config import TencentConfig

__all__ = ["TencentChannel", "TencentConfig"]
