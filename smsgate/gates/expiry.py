"""Is the message still worth sending?"""


def has_expired(valid_until: int, now: int) -> bool:
    """Say whether the message is too old to be of use; both in Unix milliseconds."""
    return now >= valid_until
