"""scikit-learn: what estimators and searches say of themselves is what arrives."""

from __future__ import annotations

import pytest

from .conftest import Training, own

CODE = """
import json, sys, numpy, steplog, warnings
from sklearn import datasets, ensemble, linear_model, model_selection, pipeline, preprocessing
from steplog.integration import sklearn as integration

x, y = datasets.load_iris(return_X_y=True, as_frame=True)
train, test, train_y, test_y = model_selection.train_test_split(x, y, random_state=0)
model = ensemble.RandomForestClassifier(5, random_state=0).fit(train, train_y)
with steplog.init(project="p", id="forest") as run:
    integration.log_params(model)
    metrics = integration.log_metrics(model, test, test_y)
    importances = integration.log_feature_importances(model)
search = model_selection.GridSearchCV(
    pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()),
    {"logisticregression__C": [0.01, 1.0, numpy.float64(100)]}, cv=3).fit(train, train_y)
with steplog.init(project="p", id="search") as run:
    assert integration.log_cv_results(search) == 3
folds = model_selection.cross_validate(model, train, train_y, cv=4)
with steplog.init(project="p", id="folds") as run:
    assert integration.log_cv_results(folds) == 4
with steplog.init(project="p", id="curve") as run:
    shuffled = model_selection.StratifiedKFold(3, shuffle=True, random_state=0)
    assert integration.log_learning_curve(model, x, y, cv=shuffled) == 5
found = search.cv_results_
print(json.dumps({"metrics": metrics, "importances": importances, "score": model.score(test, test_y),
                  "means": found["mean_test_score"].tolist(), "ranks": found["rank_test_score"].tolist(),
                  "best": [search.best_score_, int(search.best_index_), search.best_params_],
                  "folds": folds["test_score"].tolist(), "params": model.get_params()}))
"""


def test_what_there_is_to_log(training: Training) -> None:
    said = training(CODE)
    forest = training.run("local/p/forest")
    assert forest["config"] == {**said["params"], "estimator_class": "RandomForestClassifier"}
    [row] = training.api.history("local/p/forest")
    assert row == {"_step": 0, **said["metrics"]}
    assert sorted(said["metrics"]) == [
        f"test/{name}" for name in ("accuracy", "f1", "log_loss", "precision", "recall", "roc_auc")
    ]
    assert said["metrics"]["test/accuracy"] == said["score"]
    assert forest["summary"]["feature_importance"] == said["importances"]
    assert "petal width (cm)" in said["importances"]

    rows = training.api.history("local/p/search")
    assert [row["cv/mean_test_score"] for row in rows] == said["means"]
    assert [row["cv/rank_test_score"] for row in rows] == said["ranks"]
    assert [row["cv/params/logisticregression__C"] for row in rows] == [0.01, 1.0, 100.0]
    assert [row["cv/candidate"] for row in rows] == [0, 1, 2]
    names = {"candidate", "params/logisticregression__C", "mean_fit_time", "std_fit_time", "mean_score_time"}
    names |= {"std_score_time", "mean_test_score", "std_test_score", "rank_test_score"}
    assert set(rows[0]) == {"_step", *(f"cv/{name}" for name in names)}
    score, index, params = said["best"]
    summary = own(training.run("local/p/search")["summary"])
    assert summary["cv"] == {"best_score": score, "best_index": index, "best_params": params}

    rows = training.api.history("local/p/folds")
    assert [(row["cv/fold"], row["cv/test_score"]) for row in rows] == list(enumerate(said["folds"]))

    rows = training.api.history("local/p/curve")
    assert [row["learning_curve/train_size"] for row in rows] == [10, 32, 55, 77, 100]
    assert all(0 <= row["learning_curve/test_score_mean"] <= 1 for row in rows)


@pytest.mark.parametrize("call", ["wandb.sklearn.plot_roc(1)", "wandb.sklearn.plot_learning_curve(1, 2, 3)"])
def test_charts_are_refused_by_name(training: Training, call: str) -> None:
    said = training(
        f"""
import json, wandb
try:
    {call}
except wandb.Error as error:
    print(json.dumps(str(error)))
""",
        STEPLOG_AS_WANDB="1",
    )
    assert said.startswith(f"{call.partition('(')[0]} is not in steplog yet: steplog.integration.sklearn has log_")
