"""scikit-learn: what to log of estimators, as config, summary and rows of the open run.

>>> log_params(model)  # doctest: +SKIP
>>> log_metrics(model, x_test, y_test)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping

from steplog.errors import InvalidDataError
from steplog.integration._framework import framework, keep_importances, open_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

sklearn: Any = framework("sklearn", "scikit-learn", "sklearn", package="scikit-learn")

__all__ = [
    "log_cv_results",
    "log_feature_importances",
    "log_learning_curve",
    "log_metrics",
    "log_params",
]


def log_params(estimator: Any, prefix: str = "") -> dict[str, Any]:
    """Put the parameters of an estimator, and of those inside it, into the config.

    Args:
        estimator: The estimator, or a pipeline.
        prefix: What the config keys begin with.

    Returns:
        What was put there; an estimator that is a parameter is kept as its text.

    Raises:
        Error: There is no run.
    """
    run = open_run("log_params()")
    params = {f"{prefix}{name}": value for name, value in estimator.get_params(deep=True).items()}
    params[f"{prefix}estimator_class"] = type(estimator).__name__
    run.config.update(params, allow_val_change=True)
    return params


def log_metrics(model: Any, x: Any, y: Any = None, prefix: str = "test") -> dict[str, float]:
    """Log a row with the usual metrics of a fitted model.

    Of a classifier these are ``accuracy``, and ``precision``, ``recall`` and ``f1`` weighted by class, and where it
    gives probabilities ``log_loss`` and ``roc_auc`` (several classes one against the rest); of a regressor ``mae``,
    ``mse``, ``rmse`` and ``r2``; of clusters ``silhouette``, ``calinski_harabasz`` and ``davies_bouldin``, and with
    ``y`` ``adjusted_rand``.

    Args:
        model: The model.
        x: Samples by features.
        y: What is true of the samples; clusters need none.
        prefix: What the keys begin with, before a ``/``.

    Returns:
        What was logged.

    Raises:
        Error: There is no run.
        InvalidDataError: The model is none of these, or ``y`` is missing.
    """
    run = open_run("log_metrics()")
    base = framework("sklearn", "scikit-learn", "sklearn.base")
    if base.is_clusterer(model):
        metrics = _cluster_metrics(model, x, y)
    elif y is None:
        raise InvalidDataError("log_metrics() needs y for a classifier or regressor")
    elif base.is_classifier(model):
        metrics = _classifier_metrics(model, x, y)
    elif base.is_regressor(model):
        metrics = _regressor_metrics(model, x, y)
    else:
        raise InvalidDataError(f"{type(model).__name__} is no classifier, regressor or clusterer")
    row = {f"{prefix}/{name}": float(value) for name, value in metrics.items()}
    run.log(row)
    return row


def _classifier_metrics(model: Any, x: Any, y: Any) -> dict[str, float]:
    from sklearn import metrics

    predicted = model.predict(x)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        y, predicted, average="weighted", zero_division=0
    )
    found = {"accuracy": metrics.accuracy_score(y, predicted), "precision": precision, "recall": recall, "f1": f1}
    classes = getattr(model, "classes_", None)
    if hasattr(model, "predict_proba") and classes is not None:
        probabilities = model.predict_proba(x)
        found["log_loss"] = metrics.log_loss(y, probabilities, labels=classes)
        # A class that no sample has makes the curve undefined.
        if len(set(y)) == len(classes):
            binary = len(classes) == 2
            scores = probabilities[:, 1] if binary else probabilities
            found["roc_auc"] = metrics.roc_auc_score(y, scores, **({} if binary else {"multi_class": "ovr"}))
    return found


def _regressor_metrics(model: Any, x: Any, y: Any) -> dict[str, float]:
    from sklearn import metrics

    predicted = model.predict(x)
    mse = metrics.mean_squared_error(y, predicted)
    return {
        "mae": metrics.mean_absolute_error(y, predicted),
        "mse": mse,
        "rmse": mse**0.5,
        "r2": metrics.r2_score(y, predicted),
    }


def _cluster_metrics(model: Any, x: Any, y: Any) -> dict[str, float]:
    from sklearn import metrics

    labels = model.predict(x) if hasattr(model, "predict") else model.labels_
    found: dict[str, float] = {"clusters": len(set(labels) - {-1})}
    # The scores compare clusters, and need two of them.
    if 2 <= len(set(labels)) < len(labels):
        found["silhouette"] = metrics.silhouette_score(x, labels)
        found["calinski_harabasz"] = metrics.calinski_harabasz_score(x, labels)
        found["davies_bouldin"] = metrics.davies_bouldin_score(x, labels)
    if y is not None:
        found["adjusted_rand"] = metrics.adjusted_rand_score(y, labels)
    return found


def log_cv_results(results: Any, prefix: str = "cv") -> int:
    """Log what a search or a cross-validation found.

    Args:
        results: A fitted search, such as ``GridSearchCV``: a row for each candidate, with its parameters, mean and
            deviation of the scores, rank and times; the summary gets ``best_score``, ``best_index`` and
            ``best_params``. Or what ``cross_validate`` answers: a row for each fold.
        prefix: What the keys begin with, before a ``/``.

    Returns:
        How many rows were logged.

    Raises:
        Error: There is no run.
        InvalidDataError: It is neither.
    """
    run = open_run("log_cv_results()")
    columns = results if isinstance(results, Mapping) else getattr(results, "cv_results_", None)
    if columns is None:
        raise InvalidDataError("log_cv_results() takes a fitted search or what cross_validate() answers")
    columns = {name: list(values) for name, values in columns.items()}
    number = "candidate" if "params" in columns else "fold"
    candidates = columns.pop("params", None)
    columns = {name: values for name, values in columns.items() if _is_result(name)}
    run.define_metric(f"{prefix}/{number}")
    run.define_metric(f"{prefix}/*", step_metric=f"{prefix}/{number}")
    rows = max(map(len, columns.values()), default=0)
    for index in range(rows):
        row = {f"{prefix}/{name}": values[index] for name, values in columns.items()}
        params = {
            f"{prefix}/params/{name}": _plain(value) for name, value in (candidates or [{}] * rows)[index].items()
        }
        run.log({**row, **params, f"{prefix}/{number}": index})
    if hasattr(results, "best_params_"):
        best = {"best_score": getattr(results, "best_score_", None), "best_index": int(results.best_index_)}
        params = {name: _plain(value) for name, value in results.best_params_.items()}
        run.summary[prefix] = {
            name: value for name, value in {**best, "best_params": params}.items() if value is not None
        }
    return rows


def _is_result(name: str) -> bool:
    # `param_C` is in `params` too, `split0_test_score` is in mean and deviation, and fitted estimators are no data.
    return not name.startswith(("param_", "split")) and name not in ("estimator", "indices")


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value
    return value if isinstance(value, (bool, int, float, str)) or value is None else str(value)


def log_learning_curve(
    estimator: Any,
    x: Any,
    y: Any,
    cv: Any = None,
    train_sizes: Sequence[float] | None = None,
    scoring: Any = None,
    n_jobs: int | None = None,
    prefix: str = "learning_curve",
) -> int:
    """Fit an estimator on more and more samples, and log a row for each size.

    The keys are ``train_size``, over which the others are shown, and mean and deviation of the score on samples that
    were learned from and on others.

    Args:
        estimator: The estimator; it stays as it is.
        x: Samples by features.
        y: What is true of the samples.
        cv: Folds, as ``sklearn.model_selection.learning_curve`` takes them.
        train_sizes: Shares or numbers of samples. Default: five shares from 0.1 to 1.
        scoring: The score, as there. Default: the estimator's own.
        n_jobs: How many fits go on at once.
        prefix: What the keys begin with, before a ``/``.

    Returns:
        How many rows were logged.

    Raises:
        Error: There is no run.
    """
    from sklearn.model_selection import learning_curve

    run = open_run("log_learning_curve()")
    sizes, train_scores, test_scores = learning_curve(
        estimator,
        x,
        y,
        cv=cv,
        train_sizes=train_sizes if train_sizes is not None else [0.1, 0.325, 0.55, 0.775, 1.0],
        scoring=scoring,
        n_jobs=n_jobs,
    )
    run.define_metric(f"{prefix}/train_size")
    run.define_metric(f"{prefix}/*", step_metric=f"{prefix}/train_size")
    for size, train, test in zip(sizes, train_scores, test_scores, strict=True):
        row = {
            "train_size": int(size),
            "train_score_mean": float(train.mean()),
            "train_score_std": float(train.std()),
            "test_score_mean": float(test.mean()),
            "test_score_std": float(test.std()),
        }
        run.log({f"{prefix}/{name}": value for name, value in row.items()})
    return len(sizes)


def log_feature_importances(model: Any, feature_names: Sequence[str] | None = None) -> dict[str, float]:
    """Put the importance of features into the summary's ``feature_importance``: the 500 most important ones.

    Args:
        model: A fitted model with ``feature_importances_`` or ``coef_``, of which the size counts; several classes
            count with their mean.
        feature_names: Names of the features. Default: those that the model was fitted with, else ``feature_0``, ….

    Returns:
        The importance of every feature.

    Raises:
        Error: There is no run.
        InvalidDataError: The model knows no importance, or there are not as many names as features.
    """
    import numpy

    run = open_run("log_feature_importances()")
    values = getattr(model, "feature_importances_", None)
    if values is None and hasattr(model, "coef_"):
        values = numpy.abs(numpy.atleast_2d(model.coef_)).mean(axis=0)
    if values is None:
        raise InvalidDataError(f"{type(model).__name__} has neither feature_importances_ nor coef_, or is not fitted")
    names = feature_names if feature_names is not None else getattr(model, "feature_names_in_", None)
    names = [f"feature_{index}" for index in range(len(values))] if names is None else [str(name) for name in names]
    if len(names) != len(values):
        raise InvalidDataError(f"there are {len(names)} names for {len(values)} features")
    importances = {name: float(value) for name, value in zip(names, values, strict=True)}
    keep_importances(run, importances)
    return importances
