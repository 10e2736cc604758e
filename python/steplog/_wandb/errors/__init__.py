"""Errors by the names that wandb has for them."""

from steplog.errors import AuthenticationError, CommError, Error, UsageError

__all__ = ["AuthenticationError", "CommError", "Error", "UnsupportedError", "UsageError"]


class UnsupportedError(UsageError):
    """Something that is not supported; steplog itself never raises it."""
