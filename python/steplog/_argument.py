"""Arguments of simple types: what else is given is refused by the argument's name."""

from __future__ import annotations

from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Bounds of an exit code: a signed number of 32 bits.
EXIT_CODES = range(-(2**31), 2**31)


def text(name: str, value: Any) -> str:
    """The value of the argument of this name, if it is a str."""
    if not isinstance(value, str):
        raise InvalidDataError(f"{name} is a {type(value).__name__}, not a str")
    return value


def tag_list(tags: Any) -> list[str]:
    """The tags, if they are any iterable of str."""
    try:
        found = list(tags)
    except TypeError:
        raise InvalidDataError(f"tags is a {type(tags).__name__}, not an iterable of str") from None
    return [text(f"the tag {tag!r}", tag) for tag in found]


def exit_code(value: Any) -> int:
    """The exit code, if it is an int of 32 bits."""
    try:
        code = value.__index__()
    except AttributeError:
        raise InvalidDataError(f"exit_code is a {type(value).__name__}, not an int") from None
    if code not in EXIT_CODES:
        raise InvalidDataError("exit_code does not fit into 32 bits")
    return int(code)
