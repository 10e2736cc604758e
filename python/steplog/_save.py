"""Saving files with a run: what its arguments mean."""

from __future__ import annotations

import os

from steplog.errors import InvalidDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from steplog._run import Run


def save(
    run: Run,
    glob_str: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None,
    base_path: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None,
    policy: str,
    glob: bool,
) -> bool | list[str]:
    """Check the types of the arguments and save."""
    if glob_str is None:
        return True
    if policy not in ("live", "now", "end"):
        raise InvalidDataError(f'save: policy {policy!r} is none of "live", "now", "end"')
    pattern = _text("glob_str", glob_str)
    base = None if base_path is None else _text("base_path", base_path)
    return run.save_files(pattern, base, policy, glob)


def _text(argument: str, path: object) -> str:
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise InvalidDataError(f"save: {argument} is a {type(path).__name__}, not a str, bytes or path")
    text = os.fsdecode(path)
    if any("\udc80" <= character <= "\udcff" for character in text):
        raise InvalidDataError(f"save: {argument} {text!r} is not UTF-8")
    return text
