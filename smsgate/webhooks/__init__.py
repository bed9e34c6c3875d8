"""A client's webhook on the wire: signed, to a public address, within a bounded time."""
