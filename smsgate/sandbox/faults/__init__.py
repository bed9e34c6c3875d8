"""Bad days on demand: what can go wrong, to which calls, how often, and whether the phone has the message."""
