"""The callbacks for Keras, by the names that wandb has for them."""

from steplog._wandb_absent import TABLES, refusing_class
from steplog.integration.keras import SteplogCallback as WandbMetricsLogger
from steplog.integration.keras import SteplogModelCheckpoint as WandbModelCheckpoint

__all__ = ["WandbEvalCallback", "WandbMetricsLogger", "WandbModelCheckpoint"]

WandbEvalCallback = refusing_class("integration.keras.WandbEvalCallback", TABLES)
