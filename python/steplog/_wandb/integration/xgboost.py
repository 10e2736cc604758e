"""The callbacks for XGBoost, by the names that wandb has for them."""

from __future__ import annotations

from steplog.integration.xgboost import SteplogCallback as WandbCallback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["WandbCallback", "wandb_callback"]


def wandb_callback() -> Any:
    """The callback, under its old name."""
    return WandbCallback()
