"""Alibaba Cloud SMS (Dysmsapi 2017-05-25) as a channel, through the official SDK.

config        where and how to reach the provider
channel       the channel itself; light to import, the SDK comes with the first message
send_sms      one SendSms call, from our submission to our outcome
send_details  QuerySendDetails: asking for a message that may have been sent
days          which days it is to be asked about
details       what its answer says of the message
call          one call of the SDK: its answer, or what its failure means
sdk           the SDK's one client per process: forks, sessions, proxies, loggers
deadline      how long the whole of an answer may take
codes         the provider's error codes → ours
failures      the SDK's exceptions → ours
receipts      what the provider pushes to us: reports (SmsReport) and replies (SmsUp)
reports       the codes in a report → our reasons
fields        how the provider writes text and times
preflight     what `smsgate doctor` looks at, with account (what the provider says of ours) and finding
"""

from smsgate.channels.aliyun.channel import AliyunChannel
from smsgate.channels.aliyun.config import AliyunConfig

__all__ = ["AliyunChannel", "AliyunConfig"]
