"""XGBoost: a callback for ``train``, ``cv`` and the estimators.

>>> xgboost.train(parameters, data, evals=[(test, "test")], callbacks=[SteplogCallback()])  # doctest: +SKIP
"""

from __future__ import annotations

import json
import os

from steplog.errors import InvalidDataError
from steplog.integration._framework import framework, keep_importances, open_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    class Base:
        """``xgboost.callback.TrainingCallback``."""

else:
    Base = framework("xgboost", "XGBoost", "xgboost.callback").TrainingCallback

__all__ = ["SteplogCallback"]

#: Metrics of which the lowest value is the best, without what stands behind an ``@``.
MINIMIZED = ("error", "gamma-nloglik", "logloss", "mae", "mape", "merror", "mlogloss", "mphe", "rmse", "rmsle")
MAXIMIZED = ("auc", "aucpr", "map", "ndcg", "pre")

IMPORTANCE_TYPES = ("weight", "gain", "cover", "total_gain", "total_cover")


class SteplogCallback(Base):
    """Logs evaluation metrics to the open run, one row for each round: ``<data>-<metric>`` and ``epoch``.

    The config gets that of the booster; the summary ``best_score`` and ``best_iteration`` when training stopped early,
    and ``feature_importance``, a number for each of the 500 most important features. Of ``cv`` the metrics are
    ``<data>-<metric>-mean`` and ``…-std``, and there is no booster to describe.

    Args:
        log_model: Whether the trained model is saved with the run, as ``<run id>_model.json``.
        log_feature_importance: Whether the summary gets the importance of features.
        importance_type: Which one: ``weight``, ``gain``, ``cover``, ``total_gain`` or ``total_cover``.
        define_metric: Whether the summary holds the best value of a metric in place of the last:
            ``summary["test-rmse"]["min"]``.

    Raises:
        Error: There is no run.
        InvalidDataError: ``importance_type`` is something else.
    """

    def __init__(
        self,
        log_model: bool = False,
        log_feature_importance: bool = True,
        importance_type: str = "gain",
        define_metric: bool = True,
    ) -> None:
        super().__init__()
        open_run("SteplogCallback()")
        if importance_type not in IMPORTANCE_TYPES:
            raise InvalidDataError(f"importance_type is {importance_type!r}, not one of {', '.join(IMPORTANCE_TYPES)}")
        self.log_model = log_model
        self.log_feature_importance = log_feature_importance
        self.importance_type = importance_type
        self.define_metric = define_metric
        self._defined: set[str] = set()

    def before_training(self, model: Any) -> Any:
        """Put the booster's config into the run's."""
        if hasattr(model, "save_config"):
            open_run("training").config.update(json.loads(model.save_config()), allow_val_change=True)
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: dict[str, dict[str, list[Any]]]) -> bool:
        """Log the metrics of a round; never ends the training."""
        row: dict[str, Any] = {}
        for data, metrics in evals_log.items():
            for metric, values in metrics.items():
                key, value = f"{data}-{metric}", values[-1]
                named = {f"{key}-mean": value[0], f"{key}-std": value[1]} if isinstance(value, tuple) else {key: value}
                self._define(metric, next(iter(named)))
                row.update(named)
        open_run("training").log({**row, "epoch": epoch})
        return False

    def _define(self, metric: str, key: str) -> None:
        if not self.define_metric or key in self._defined:
            return
        self._defined.add(key)
        name = metric.lower().partition("@")[0]
        best = "max" if name in MAXIMIZED else "min" if name in MINIMIZED or "loss" in name else None
        if best is not None:
            open_run("training").define_metric(key, summary=best)

    def after_training(self, model: Any) -> Any:
        """Keep the best round, the importance of features and the model."""
        run = open_run("training")
        if not hasattr(model, "save_config"):
            return model
        if self.log_model and not run.disabled:
            path = os.path.join(run.dir, f"{run.id}_model.json")
            model.save_model(path)
            run.save(path, base_path=run.dir, policy="now", glob=False)
        if self.log_feature_importance:
            # A linear model has weights only.
            linear = "gblinear" in model.save_config()
            keep_importances(run, model.get_score(importance_type="weight" if linear else self.importance_type))
        if model.attr("best_score") is not None:
            run.summary.update(
                {"best_score": float(model.attr("best_score")), "best_iteration": int(model.attr("best_iteration"))}
            )
        return model
