"""LightGBM: a callback for ``train``, ``cv`` and the estimators, and what to log of the trained model.

>>> model = lightgbm.train(parameters, data, valid_sets=[test], callbacks=[steplog_callback()])  # doctest: +SKIP
>>> log_summary(model)  # doctest: +SKIP
"""

from __future__ import annotations

import os

from steplog.errors import InvalidDataError
from steplog.integration._framework import framework, keep_importances, open_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

lightgbm: Any = framework("lightgbm", "LightGBM", "lightgbm")

__all__ = ["log_summary", "steplog_callback"]


def steplog_callback(log_params: bool = True, define_metric: bool = True) -> Callable[[Any], None]:
    """A callback that logs evaluation metrics to the open run: ``<data>_<metric>`` and ``iteration``, a row each round.

    Of ``cv`` the metrics are ``<data>_<metric>-mean`` and ``…-stdv``.

    Args:
        log_params: Whether the parameters become config values.
        define_metric: Whether the summary holds the best value of a metric in place of the last:
            ``summary["valid_0_l2"]["min"]``.

    Raises:
        Error: There is no run.
    """
    open_run("steplog_callback()")
    return _Callback(log_params, define_metric)


class _Callback:
    #: Behind the callbacks of LightGBM itself that print and record, before the one that stops early.
    order = 20
    before_iteration = False

    def __init__(self, log_params: bool, define_metric: bool) -> None:
        self.log_params, self.define_metric = log_params, define_metric

    def __call__(self, env: Any) -> None:
        run = open_run("training")
        # Without data to evaluate with there is nothing but the iteration.
        results = env.evaluation_result_list or []
        if env.iteration == env.begin_iteration:
            if self.log_params:
                run.config.update(dict(env.params), allow_val_change=True)
            if self.define_metric:
                for result in results:
                    run.define_metric(_key(result), summary="max" if result[3] else "min")
        row: dict[str, Any] = {}
        for result in results:
            row[_key(result)] = result[2]
            if len(result) > 4:
                row[_key(result).removesuffix("-mean") + "-stdv"] = result[4]
        run.log({**row, "iteration": env.iteration})


def _key(result: tuple[Any, ...]) -> str:
    data, metric = result[:2]
    if len(result) == 4:
        return f"{data}_{metric}"
    # Older versions have `cv_agg` first, and data and metric in one text.
    return f"{metric.replace(' ', '_', 1)}-mean" if data == "cv_agg" else f"{data}_{metric}-mean"


def log_summary(model: Any, feature_importance: bool = True, save_model_checkpoint: bool = False) -> None:
    """Put what is to be known of a trained model into the open run's summary: ``best_iteration`` and ``best_score``.

    Args:
        model: A ``lightgbm.Booster``, such as ``train`` answers and estimators have as ``booster_``.
        feature_importance: Whether the summary gets ``feature_importance`` too: how often each of the 500 most
            important features is split at.
        save_model_checkpoint: Whether the model, up to its best iteration, is saved with the run, as
            ``model_ckpt_<iteration>.txt``.

    Raises:
        Error: There is no run.
        InvalidDataError: The model is no ``Booster``.
    """
    run = open_run("log_summary()")
    if not isinstance(model, lightgbm.Booster):
        raise InvalidDataError(f"log_summary() takes a lightgbm.Booster, not a {type(model).__name__}")
    run.summary["best_iteration"] = model.best_iteration
    best_score = {data: dict(metrics) for data, metrics in model.best_score.items()}
    if best_score:
        run.summary["best_score"] = best_score
    if feature_importance:
        keep_importances(run, dict(zip(model.feature_name(), model.feature_importance(), strict=True)))
    if save_model_checkpoint and not run.disabled:
        path = os.path.join(run.dir, f"model_ckpt_{model.best_iteration}.txt")
        model.save_model(path, num_iteration=model.best_iteration)
        run.save(path, base_path=run.dir, policy="now", glob=False)
