"""What stands in the place of a run's members while there is no run."""

from __future__ import annotations

from steplog.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


def log(*_: Any, **__: Any) -> NoReturn:
    """Stands for ``steplog.log`` while there is no run."""
    raise Error("You must call steplog.init() before steplog.log()")


class NoRun:
    """Stands for ``steplog.config`` and ``steplog.summary`` while there is no run."""

    __slots__ = ("_noun",)

    def __init__(self, noun: str) -> None:
        object.__setattr__(self, "_noun", noun)

    def _refuse(self, key: object) -> NoReturn:
        noun = object.__getattribute__(self, "_noun")
        raise Error(f"You must call steplog.init() before steplog.{noun}[{key!r}]")

    def __getitem__(self, key: str) -> Any:
        self._refuse(key)

    def __setitem__(self, key: str, value: Any) -> None:
        self._refuse(key)

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        self._refuse(key)

    def __setattr__(self, key: str, value: Any) -> None:
        self._refuse(key)
