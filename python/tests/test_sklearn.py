"""The integration of scikit-learn: kinds of models beside classifiers, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import cluster, linear_model, metrics, model_selection, pipeline, preprocessing, svm

import steplog
from conftest import rows
from steplog.integration import sklearn as integration

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
Y = X @ [1.0, -2.0, 0.0] + 0.1 * RANDOM.normal(size=60)


def test_without_a_run_nothing_is_done() -> None:
    model = linear_model.LinearRegression().fit(X, Y)
    for call in (
        lambda: integration.log_params(model),
        lambda: integration.log_metrics(model, X, Y),
        lambda: integration.log_cv_results({}),
        lambda: integration.log_learning_curve(model, X, Y),
        lambda: integration.log_feature_importances(model),
    ):
        with pytest.raises(steplog.Error, match=r"You must call steplog\.init\(\) before log_"):
            call()


def test_a_regressor() -> None:
    run = steplog.init(project="p")
    model = linear_model.LinearRegression().fit(X, Y)
    row = integration.log_metrics(model, X, Y, prefix="val")
    predicted = model.predict(X)
    assert row == {
        "val/mae": metrics.mean_absolute_error(Y, predicted),
        "val/mse": metrics.mean_squared_error(Y, predicted),
        "val/rmse": metrics.mean_squared_error(Y, predicted) ** 0.5,
        "val/r2": metrics.r2_score(Y, predicted),
    }
    assert [one.values for one in rows(run)] == [row]
    importances = integration.log_feature_importances(model, ["a", "b", "c"])
    assert importances == dict(zip("abc", np.abs(model.coef_).tolist(), strict=True))
    assert list(run.summary["feature_importance"].as_dict()) == ["a", "b", "c"]


def test_clusters() -> None:
    steplog.init(project="p")
    model = cluster.KMeans(3, random_state=0, n_init=1).fit(X)
    row = integration.log_metrics(model, X)
    assert row == {
        "test/clusters": 3.0,
        "test/silhouette": metrics.silhouette_score(X, model.labels_),
        "test/calinski_harabasz": metrics.calinski_harabasz_score(X, model.labels_),
        "test/davies_bouldin": metrics.davies_bouldin_score(X, model.labels_),
    }
    assert integration.log_metrics(model, X, model.labels_)["test/adjusted_rand"] == 1.0
    # One cluster compares with none.
    alone = cluster.DBSCAN(eps=100).fit(X)
    assert integration.log_metrics(alone, X) == {"test/clusters": 1.0}


def test_a_classifier_without_probabilities_and_classes_that_are_not_there() -> None:
    run = steplog.init(project="p")
    kinds = np.where(Y > 1, "high", np.where(Y < -1, "low", "middle"))
    names = {"test/accuracy", "test/precision", "test/recall", "test/f1"}
    machine = svm.LinearSVC(random_state=0).fit(X, kinds)
    assert set(integration.log_metrics(machine, X, kinds)) == names
    model = linear_model.LogisticRegression().fit(X, kinds)
    assert set(integration.log_metrics(model, X, kinds)) == {*names, "test/log_loss", "test/roc_auc"}
    some = kinds != "high"
    assert set(integration.log_metrics(model, X[some], kinds[some])) == {*names, "test/log_loss"}
    binary = linear_model.LogisticRegression().fit(X, Y > 0)
    row = integration.log_metrics(binary, X, Y > 0)
    assert row["test/roc_auc"] == metrics.roc_auc_score(Y > 0, binary.predict_proba(X)[:, 1])
    # Several classes count with their mean.
    importances = integration.log_feature_importances(model)
    assert importances == {f"feature_{index}": np.abs(model.coef_).mean(axis=0)[index] for index in range(3)}
    assert len(rows(run)) == 4


def test_params_of_a_pipeline() -> None:
    run = steplog.init(project="p")
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge(alpha=0.5))
    integration.log_params(model, prefix="model/")
    assert run.config["model/ridge__alpha"] == 0.5
    assert run.config["model/estimator_class"] == "Pipeline"
    assert run.config["model/ridge"] == "Ridge(alpha=0.5)"


def test_a_search_for_the_best_of_several_scores() -> None:
    run = steplog.init(project="p")
    search = model_selection.GridSearchCV(
        linear_model.Ridge(), {"alpha": [0.1, 10.0]}, cv=3, scoring=["r2", "neg_mean_absolute_error"], refit="r2"
    ).fit(X, Y)
    assert integration.log_cv_results(search, prefix="search") == 2
    found = [row.values for row in rows(run)]
    assert [row["search/params/alpha"] for row in found] == [0.1, 10.0]
    assert [row["search/mean_test_r2"] for row in found] == search.cv_results_["mean_test_r2"].tolist()
    best = {"best_score": search.best_score_, "best_index": 0, "best_params": {"alpha": 0.1}}
    assert run.summary["search"].as_dict() == best


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: integration.log_metrics(model, X), "needs y"),
        (lambda model: integration.log_metrics(preprocessing.StandardScaler(), X, Y), "no classifier, regressor or"),
        (lambda model: integration.log_cv_results(model), "a fitted search or what cross_validate"),
        (lambda model: integration.log_feature_importances(svm.SVR()), "SVR has neither"),
        (lambda model: integration.log_feature_importances(model, ["a"]), "1 names for 3 features"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Any, message: str) -> None:
    run = steplog.init(project="p")
    model = linear_model.LinearRegression().fit(X, Y)
    with pytest.raises(steplog.InvalidDataError, match=message):
        call(model)
    assert rows(run) == [] and run.config.as_dict() == {}
