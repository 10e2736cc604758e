"""Small parts of wandb that frameworks import."""

from .disabled import RunDisabled, SummaryDisabled

__all__ = ["RunDisabled", "SummaryDisabled"]
