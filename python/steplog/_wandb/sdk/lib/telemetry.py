"""Where integrations of wandb tell its makers what is used; nobody is told here."""

from __future__ import annotations

from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["context"]


class _Features:
    """Takes any attribute, at any depth."""

    def __getattr__(self, name: str) -> _Features:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Features()

    def __setattr__(self, name: str, value: Any) -> None:
        pass


@contextmanager
def context(run: Any = None, obj: Any = None) -> Iterator[Any]:
    """Take what an integration says, and forget it."""
    yield _Features()
