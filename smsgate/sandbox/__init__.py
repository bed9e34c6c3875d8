"""Dysmsapi and Tencent Cloud SMS on this machine: their wire protocols, faults, receipts, and an inbox.

It stands alone: it knows nothing of the gateway, so that both can only agree by speaking the real protocol.
"""
