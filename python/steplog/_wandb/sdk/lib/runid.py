"""Ids of runs."""

from __future__ import annotations

import secrets
import string

__all__ = ["generate_id"]


def generate_id(length: int = 8) -> str:
    """So many random characters ``a-z0-9``."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(length))
