"""What stands in the place of a run's members while there is no run."""

from __future__ import annotations

from steplog.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn


def _refusing(name: str) -> Callable[..., NoReturn]:
    def call(*_: Any, **__: Any) -> NoReturn:
        raise Error(f"You must call steplog.init() before steplog.{name}()")

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"""Stands for ``steplog.{name}`` while there is no run."""
    return call


#: The functions of the module that are methods of the open run, and what stands for them while there is none.
CALLS: dict[str, Callable[..., Any]] = {
    name: _refusing(name)
    for name in (
        "alert",
        "define_metric",
        "link_artifact",
        "link_model",
        "log",
        "log_artifact",
        "log_code",
        "log_model",
        "mark_preempting",
        "save",
        "unwatch",
        "use_artifact",
        "use_model",
        "watch",
    )
}


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
