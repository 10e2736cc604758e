"""Messages that frameworks say on the terminal."""

from __future__ import annotations

from steplog import _message


def termlog(string: str = "", newline: bool = True, repeat: bool = True, prefix: bool = True) -> None:
    """Say something; once in a process unless ``repeat``."""
    _message.info(string, once=not repeat)


def termwarn(string: str, newline: bool = True, repeat: bool = True, prefix: bool = True) -> None:
    """Say a warning; once in a process unless ``repeat``."""
    _message.warn(string, once=not repeat)


def termerror(string: str, newline: bool = True, repeat: bool = True, prefix: bool = True) -> None:
    """Say that something failed; once in a process unless ``repeat``."""
    _message.error(string, once=not repeat)
