"""The callback for LightGBM, by the name that wandb has for it."""

from steplog.integration.lightgbm import log_summary
from steplog.integration.lightgbm import steplog_callback as wandb_callback

__all__ = ["log_summary", "wandb_callback"]
