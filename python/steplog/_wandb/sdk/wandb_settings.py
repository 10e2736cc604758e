"""``wandb.Settings``: what has a meaning in steplog is taken, the rest is named in a warning."""

from __future__ import annotations

import steplog
from steplog import _message
from steplog._settings import ALIASES, KNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Settings"]

#: Settings of wandb about how wandb itself works, beside those that begin with ``_`` or ``x_``.
WITHOUT_MEANING = ("anonymous", "disable_git", "disable_job_creation", "save_code", "start_method", "strict")


class Settings(steplog.Settings):
    """Settings for ``init(settings=…)``, as ``steplog.Settings``."""

    __slots__ = ()

    def __setitem__(self, name: str, value: Any) -> None:
        known = ALIASES.get(name, name) in KNOWN
        if not known and (name.startswith(("_", "x_")) or name in WITHOUT_MEANING):
            _message.warn(f"the setting {name} has no meaning here", once=True)
        else:
            super().__setitem__(name, value)
