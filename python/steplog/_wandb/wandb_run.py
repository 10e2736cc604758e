"""The run, at the place where wandb once defined it."""

from steplog import Run

__all__ = ["Run"]
