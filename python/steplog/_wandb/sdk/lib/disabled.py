"""Classes that frameworks ask for in ``isinstance``; a disabled run is a ``Run``, in wandb as here."""

__all__ = ["RunDisabled", "SummaryDisabled"]


class RunDisabled:
    """What wandb once gave for ``mode="disabled"``; never made."""


class SummaryDisabled(dict):  # type: ignore[type-arg]
    """What wandb once gave as its summary; never made."""
