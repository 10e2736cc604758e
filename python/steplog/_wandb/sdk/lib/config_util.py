"""The error about config keys, at the place where wandb defines it."""

from steplog import ConfigError

__all__ = ["ConfigError"]
