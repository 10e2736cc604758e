"""What the Python half says on the terminal: a few lines on stderr, as the native half says its own."""

from __future__ import annotations

import os
import sys

_said: set[str] = set()


def warn(text: str, *, once: bool = False, silent: bool | None = None) -> None:
    """Say a warning, unless ``STEPLOG_SILENT`` wants not one byte.

    Args:
        text: What to say.
        once: Whether the same text is said only once in a process.
        silent: Whether nothing is said. Default: what the variable says.
    """
    _say("steplog: warning:", text, once, _is_set("SILENT") if silent is None else silent)


def error(text: str, *, once: bool = False, silent: bool | None = None) -> None:
    """Say that something failed; as ``warn``."""
    _say("steplog: error:", text, once, _is_set("SILENT") if silent is None else silent)


def info(text: str, *, once: bool = False, silent: bool | None = None) -> None:
    """Say something that is no warning, unless ``STEPLOG_SILENT`` or ``STEPLOG_QUIET`` is set; as ``warn``."""
    _say("steplog:", text, once, (_is_set("SILENT") or _is_set("QUIET")) if silent is None else silent)


def shows_progress() -> bool:
    """Whether bars may be drawn where a person looks."""
    return not (_is_set("SILENT") or _is_set("QUIET"))


def _say(prefix: str, text: str, once: bool, silent: bool) -> None:
    if silent or (once and text in _said):
        return
    _said.add(text)
    try:
        sys.stderr.write(f"{prefix} {text}\n")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        pass  # A closed stderr is no reason to fail.


def _is_set(name: str) -> bool:
    value = os.environ.get(f"STEPLOG_{name}") or os.environ.get(f"WANDB_{name}") or ""
    return value.lower() in ("1", "true", "yes", "on")
