"""Errors about artifacts, at the place where wandb defines them."""

from steplog.errors import ArtifactFinalizedError, ArtifactNotLoggedError, WaitTimeoutError

__all__ = ["ArtifactFinalizedError", "ArtifactNotLoggedError", "WaitTimeoutError"]
