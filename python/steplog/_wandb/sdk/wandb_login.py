"""``wandb.login``: its arguments, as steplog takes them."""

from __future__ import annotations

import steplog

__all__ = ["login"]


def login(
    key: str | None = None,
    relogin: bool | None = None,
    host: str | None = None,
    force: bool | None = None,
    timeout: int | None = None,
    verify: bool = False,
    referrer: str | None = None,
    prompt: bool = True,
    anonymous: object = None,
) -> bool:
    """Say which server to use and with which key, as ``steplog.login`` does.

    Nobody is asked for a key, so the arguments about asking change nothing. ``force`` makes it an error that the server
    does not let us in, as ``verify`` does.
    """
    return steplog.login(key, host, verify or bool(force))
