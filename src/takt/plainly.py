"""What a library says is wrong, in the words that Takt uses: nobody has to know which library it was.

`plainly(error)` is for whatever Takt hands on of an exception that is not its own. It knows errors by the names of
their classes, so that no library is imported for this.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

# SQLite's primary result codes (https://sqlite.org/rescode.html), by number.
_SQLITE = {
    5: "another program is writing it; try again when that is done",
    6: "another program is writing it; try again when that is done",
    7: "there is not enough memory for it",
    8: "it may not be written",
    9: "it took longer than a file of this size can need",
    10: "the disk cannot be read or written",
    11: "its pages do not fit together",
    13: "the disk is full",
    14: "it cannot be opened; is its folder there, and may files be made in it?",
    18: "a value in it is too long",
    23: "it may not be opened",
    26: "it is no SQLite database",
}
_MSGPACK = {
    "ExtraData": "something follows after its end",
    "FormatError": "there is no such kind of value",
    "StackError": "it is nested too deep",
    "OutOfData": "it ends too soon",
}
# Pydantic's kinds of error (https://docs.pydantic.dev/latest/errors/validation_errors/); `{}` are those of `ctx`.
_KINDS = {
    "missing": "is missing",
    "extra_forbidden": "is none of them",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be {le} at most",
    "finite_number": "must be a finite number",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "too_short": "must have {min_length} or more",
    "too_long": "must have {max_length} at most",
    "string_too_short": "must have {min_length} characters or more",
    "string_too_long": "must have {max_length} characters at most",
}
_MUST = (  # by how the kind begins
    (("int", "whole"), "must be a whole number"),
    (("float", "decimal"), "must be a number"),
    (("bool",), "must be true or false"),
    (("string",), "must be a text"),
    (("list", "tuple", "set"), "must be a list"),
    (("dict", "model", "mapping"), "must be an object"),
    (("path",), "must be a path"),
)


def plainly(error: BaseException) -> str:
    """What an exception means, in a few words that can follow "PATH: ". An unknown one's own words, in one line."""
    for kind in type(error).__mro__:
        tell = _TELL.get(kind.__name__)
        if tell is not None:
            return tell(error)
    return _short(error) or type(error).__name__


def wrong_value(kind: str, context: Mapping[str, Any], value: Any = None) -> str:
    """What a value must be that was refused by Pydantic for this kind of error: "must be a whole number, not 'x'"."""
    if kind in _KINDS:
        must = _KINDS[kind].format_map({name: _bound(bound) for name, bound in context.items()})
        return must if kind in ("missing", "extra_forbidden") or isinstance(value, (dict, list)) else must + _not(value)
    starts = next((must for begins, must in _MUST if kind.startswith(begins)), "cannot be read")
    return starts + _not(value)


def _short(error: BaseException) -> str:
    return re.sub(r"^\[Errno -?\d+\] ", "", " ".join(str(error).split()))


def at(place: Any) -> str:
    """Where in the arguments it is: legs[0].flight."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")


def _bound(value: Any) -> Any:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{value:,.15g}" if number and value >= 10_000 else value


def _not(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", tuple: "a list", type(None): "null"}
    shown = kinds.get(type(value)) or (repr(value) if isinstance(value, str) else json.dumps(value, default=str))
    return f", not {shown if len(shown) <= 60 else shown[:57] + '...'}"


def _json(error: Any) -> str:
    if error.doc.strip() == "":
        return "there is nothing where JSON is due"
    if error.pos >= len(error.doc.rstrip()):
        return "it is JSON that ends too soon"
    return f"it is no JSON from line {error.lineno}, column {error.colno} on"


def _toml(error: Any) -> str:
    found = re.search(r"\(at (.+)\)$", str(error))
    return f"it is no TOML: see {found[1]}" if found else "it is no TOML"


def _text(error: Any) -> str:
    return f"its byte {error.start} is no {error.encoding.upper()} text; save it as UTF-8"


def _sqlite(error: Any) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # the sqlite3 module's own: a text that is no UTF-8, a closed database
        return "it has a text that cannot be read" if "UTF-8" in str(error) else "it cannot be used"
    name = getattr(error, "sqlite_errorname", "SQLite's error")
    return _SQLITE.get(code & 0xFF, f"it cannot be used ({name})")


def _of_a_database(error: Any) -> str:
    """DuckDB's classes have the names of SQLite's where they are not its own."""
    return _sqlite(error) if isinstance(error, (sqlite3.Error, sqlite3.Warning)) else "it has what cannot be computed"


def _msgpack(error: Any) -> str:
    return _MSGPACK.get(type(error).__name__, "it is no packed value")


def _pydantic(error: Any) -> str:
    first = error.errors(include_url=False)[0]
    said = wrong_value(first["type"], first.get("ctx", {}), first.get("input"))
    return f"{at(first['loc'])} {said}".strip()


def _value(error: Any) -> str:
    """Python's and some libraries' own ValueErrors that have no class."""
    text = _short(error)
    for pattern, said in _VALUES:
        if re.search(pattern, text):
            return said
    return text or "a value that cannot be"


_VALUES = (
    (r"^Out of range float values|not JSON compliant", "NaN and infinity cannot be written down as JSON"),
    (r"not JSON serializable", "it has something that cannot be written down as JSON"),
    (r"^Circular reference|recursion", "it holds itself"),
    (r"^Exceeds the limit .* digits", "a number has too many digits"),
    (r"^Unpack failed: incomplete", "it ends too soon"),
    (r"^unpack\(\) received extra|^Unpack failed: extra", "something follows after its end"),
    (r"exceeds max_ext_len", "it has a kind of value that is none of ours"),
    (r"exceeds max_\w+_len", "it promises more than there is"),
    (r"^recursion limit exceeded", "it is nested too deep"),
)


_TELL: dict[str, Callable[[Any], str]] = {
    "JSONDecodeError": _json,
    "TOMLDecodeError": _toml,
    "UnicodeDecodeError": _text,
    "UnicodeEncodeError": lambda _: "it has half of a surrogate pair",
    "RecursionError": lambda _: "it is nested too deep",
    "MemoryError": lambda _: "there is not enough memory for it",
    "ValidationError": _pydantic,
    **dict.fromkeys(_MSGPACK, _msgpack),
    **{kind.__name__: _of_a_database for kind in (sqlite3.Error, sqlite3.Warning)},
    "OutOfMemoryException": lambda _: "there is not enough memory for it",
    "IOException": lambda _: "the disk cannot be read or written",
    "ConversionException": lambda _: "it has a value that cannot be read",
    "InvalidInputException": lambda _: "it has a value that cannot be read",
    "OutOfRangeException": lambda _: "it has a number that is too large",
    "BadZipFile": lambda _: "it is no whole zip archive",
    "LZMAError": lambda error: (
        "it asks for more memory than a file may have" if "Memory usage" in str(error) else "it is no whole xz archive"
    ),
    "BadGzipFile": lambda _: "it is no whole gzip archive",
    "EOFError": lambda _: "it ends too soon",
    "error": lambda _: "its packed bytes are damaged",  # zlib.error
    "OSError": lambda error: error.strerror or _short(error) or "cannot be read or written",
    "TypeError": _value,
    "ValueError": _value,
}
