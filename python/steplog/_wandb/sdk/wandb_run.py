"""The run, at the place where wandb defines it."""

from steplog import Run, finish

__all__ = ["Run", "finish"]
