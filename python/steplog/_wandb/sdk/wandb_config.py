"""The config, at the place where wandb defines it."""

from steplog import Config

__all__ = ["Config"]
