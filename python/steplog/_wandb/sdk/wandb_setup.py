"""What wandb wants to be told before and after runs; steplog needs nothing of it."""

from __future__ import annotations

import steplog

__all__ = ["ensure_configured", "require", "setup", "teardown"]


def setup(settings: object = None) -> None:
    """Do nothing: there is no service to start."""


def ensure_configured() -> None:
    """Do nothing: settings are read by ``init``."""


def require(requirement: object = None, experiment: object = None) -> None:
    """Do nothing: what wandb lets one ask for is either always so here, or not there."""


def teardown(exit_code: int | None = None) -> None:
    """End the open run."""
    steplog.finish(exit_code)
