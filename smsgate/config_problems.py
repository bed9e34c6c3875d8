"""What is wrong with a configuration file, in its own words: where it stands, what it must be; never the value."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Loc = tuple[int | str, ...]

_LETTERS: Final = "two capital letters such as CN"
# What a text must look like, by the field that it stands in; by its table too where that matters.
_WRITTEN: Final = {
    "channels.name": "the name of a channel has small letters, digits and -, no - at its beginning, 32 at the most",
    "routes.channels": "the name of a channel has small letters, digits and -, no - at its beginning, 32 at the most",
    "limits.name": "has letters, digits, and . _ - after the first, 64 at the most",
    "channels.countries": f'must be {_LETTERS}, or "*"',
    "recipient_limits.countries": f'must be {_LETTERS}, or "*"',
    "routes.country": f"must be {_LETTERS}",
    "recipient_limits.allow": "must be such as 1/minute, 5/hour, 100/30 days",
    "channels.sign": "must have no line breaks or other signs that do not print",
    "channels.signs": "must have no line breaks or other signs that do not print",
    "channels.templates": "is no code of a template: letters, digits and _ . : -, 64 at the most",
}
# What tables are written as.
_TABLES: Final = {
    "channels": "write a table [channels.NAME] for each channel",
    "routes": "write a table [[routes]] for each rule",
    "limits": "write a table [[limits]] for each limit",
    "recipient_limits": "write a table [[channels.NAME.recipient_limits]] for each limit, or [] for none",
    "templates": 'write a table [channels.NAME.templates] with lines such as SMS_1 = { code = "1234567" }',
    "signs": 'write a table [channels.NAME.signs] with lines such as "Ours" = "Theirs"',
    "provider_options": "write a table [channels.NAME.provider_options]",
}
# What pydantic finds → what to do; {…} are its own figures.
_FIXES: Final = {
    "missing": "is missing",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be {ge:g} at least",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be {le:g} at the most",
    "string_too_short": "must not be empty",
    "string_too_long": "must have {max_length} letters at the most",
    "string_type": "must be a text in quotes",
    "bool_type": "must be true or false, without quotes",
    "bool_parsing": "must be true or false, without quotes",
    "float_type": "must be a number, without quotes",
    "float_parsing": "must be a number, without quotes",
    "finite_number": "must be a number",
    "int_type": "must be a whole number, without quotes",
    "int_parsing": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "too_short": "must name one at least",
}
_LISTS: Final = {"tuple_type", "frozen_set_type", "list_type", "set_type"}
_MODELS: Final = {"model_type", "model_attributes_type", "dict_type", "mapping_type", "dataclass_type"}


def told(error: ValidationError, written: Mapping[str, Any], root: type[BaseModel]) -> Iterator[str]:
    """Say where each mistake is, as the file has it, and how to put it right; `written` is what the file holds."""
    errors = error.errors(include_url=False, include_input=False)
    for one in errors:
        if one["type"] == "too_short" and any(_is_within(other["loc"], one["loc"]) for other in errors):
            continue  # what is wrong in a list is not counted by pydantic
        where = _where(one["loc"], written)
        text = _unknown(one["loc"], root) if one["type"] == "extra_forbidden" else _text(one)
        yield f"{where}: {text}" if where else text


def _is_within(loc: Loc, whole: Loc) -> bool:
    return len(loc) > len(whole) and loc[: len(whole)] == whole


def _text(error: ErrorDetails) -> str:
    kind, loc = error["type"], error["loc"]
    if kind == "string_pattern_mismatch":
        return _written(loc)
    if kind == "too_short" and loc == ("channels",):
        return f"declares none; {_TABLES['channels']}"
    if kind in _LISTS:
        return _TABLES.get(str(loc[-1]), 'must be a list, such as ["one", "two"]')
    if kind in _MODELS:
        return next(
            (_TABLES[part] for part in reversed(loc) if isinstance(part, str) and part in _TABLES), "must be a table"
        )
    if kind in _FIXES:
        return _FIXES[kind].format(**error.get("ctx", {}))
    return error["msg"].removeprefix("Value error, ")


def _written(loc: Loc) -> str:
    words = [part for part in loc if isinstance(part, str) and not part.startswith("[")]
    for table in reversed(words):
        for field in reversed(words):
            if f"{table}.{field}" in _WRITTEN:
                return _WRITTEN[f"{table}.{field}"]
    return "is not written as it must be; see docs/routing.md"


def _unknown(loc: Loc, root: type[BaseModel]) -> str:
    """Say what may stand where something unknown does."""
    *table, name = loc
    model = _model_at(tuple(table), root)
    # A channel's name is that of its table.
    known = sorted(field for field in model.model_fields if not (table[:1] == ["channels"] and field == "name"))
    close = get_close_matches(str(name), known, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    return f"is not known here; {meant}there can be {', '.join(known)}"


def _model_at(loc: Loc, root: type[BaseModel]) -> type[BaseModel]:
    model = root
    for part in loc:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        if field is not None:
            model = _model_in(field.annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for one in get_args(annotation) if (model := _model_in(one))), None)


def _where(loc: Loc, written: Mapping[str, Any]) -> str:
    """Name a place in the file: channels by their names, rules by their numbers from 1."""
    parts = [str(part) for part in loc if part != "[key]"]
    if len(loc) > 1 and isinstance(loc[1], int):
        named = written[str(loc[0])]
        parts[1] = list(named)[loc[1]] if isinstance(named, Mapping) else str(loc[1] + 1)
    if len(parts) > 2 and parts[0] == "channels" and parts[2] == "name":  # noqa: PLR2004 - the name is the table's
        return f"channels.{parts[1]}"
    return ".".join(parts)
