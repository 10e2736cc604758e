"""Levels of alerts, at the place where wandb defines them."""

from steplog import AlertLevel

__all__ = ["AlertLevel"]
