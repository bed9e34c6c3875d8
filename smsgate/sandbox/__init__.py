"""A Dysmsapi that runs on this machine: the provider's wire protocol, its faults, its receipts, and an inbox.

It stands alone: it knows nothing of the gateway, so that both can only agree by speaking the real protocol.
"""
