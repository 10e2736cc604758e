"""Artifacts, at the place where wandb defines them."""

from steplog import Artifact

__all__ = ["Artifact"]
