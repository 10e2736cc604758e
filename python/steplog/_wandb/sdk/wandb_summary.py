"""The summary, at the place where wandb defines it."""

from steplog import Summary

__all__ = ["Summary"]
