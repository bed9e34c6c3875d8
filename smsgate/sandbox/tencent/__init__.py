"""Tencent Cloud SMS (2021-01-11) beside Dysmsapi, at the same address: what differs is told by `X-TC-Action`.

It has the same signs and the same texts. A template's id is the code's part after `SMS_`, and its variables are
numbered in the order in which the text has them.
"""
