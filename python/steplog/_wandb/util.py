"""Small functions that scripts and frameworks take from wandb."""

from __future__ import annotations

import re
from importlib import import_module

from steplog.errors import Error

from .sdk.lib.runid import generate_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["generate_id", "get_module", "make_artifact_name_safe"]


def get_module(name: str, required: str | bool | None = None, lazy: bool = True) -> Any:
    """A module, or ``None`` when it is not there.

    Raises:
        Error: It is not there, and ``required`` is set: the text to say.
    """
    try:
        return import_module(name)
    except ImportError:
        if required:
            raise Error(required if isinstance(required, str) else f"the module {name} is needed") from None
        return None


def make_artifact_name_safe(name: str) -> str:
    """The name with ``_`` in place of what names of artifacts may not have; at most 128 characters."""
    cleaned = re.sub(r"[^a-zA-Z0-9_\-.]", "_", name)
    return cleaned if len(cleaned) <= 128 else f"{cleaned[:63]}..{cleaned[-63:]}"
