"""Errors, at the place where wandb defines them."""

from . import AuthenticationError, CommError, Error, UnsupportedError, UsageError

__all__ = ["AuthenticationError", "CommError", "Error", "UnsupportedError", "UsageError"]
