"""An object that names a key twice is refused: readers of JSON differ in which one they take."""

from typing import Any

from smsgate.errors import FieldError, InvalidMessage


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object of its pairs, for `json.loads(…, object_pairs_hook=unique)`.

    Raises:
        InvalidMessage: A key comes twice.
    """
    known = dict(pairs)
    if len(known) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1).encode("utf-8", "backslashreplace").decode()
        raise InvalidMessage([FieldError(twice, "is given twice; give it once")])
    return known
