"""XGBoost: what it records of the evaluation itself is what arrives."""

from __future__ import annotations

import pytest

from .conftest import Training, own

CODE = """
import json, sys, numpy, xgboost, steplog

way = sys.argv[1]
if way == "own":
    from steplog.integration.xgboost import SteplogCallback
    run = steplog.init(project="p", id="r1")
else:
    import wandb
    from wandb.integration.xgboost import WandbCallback as SteplogCallback
    run = wandb.init(project="p", id="r1")
random = numpy.random.default_rng(0)
x = random.normal(size=(200, 3))
y = (x[:, 0] + 0.1 * random.normal(size=200) > 0).astype(int)
train, test = xgboost.DMatrix(x[:150], y[:150]), xgboost.DMatrix(x[150:], y[150:])
parameters = {"objective": "binary:logistic", "max_depth": 3, "eta": 1.0, "eval_metric": ["logloss", "auc"], "seed": 0}
if sys.argv[2] == "cv":
    found = xgboost.cv(parameters, train, 5, nfold=3, seed=0, as_pandas=False, callbacks=[SteplogCallback()])
    result = found
else:
    found = {}
    model = xgboost.train(parameters, train, 30, evals=[(train, "train"), (test, "test")], evals_result=found,
                          early_stopping_rounds=3, verbose_eval=False, callbacks=[SteplogCallback(log_model=True)])
    result = {"found": found, "importance": model.get_score(importance_type="gain"),
              "best": [model.best_score, model.best_iteration], "config": json.loads(model.save_config())}
    model.save_model("model.json")
run.finish()
print(json.dumps(result))
"""


@pytest.mark.parametrize("way", ["own", "as_wandb"])
def test_a_training_that_stops_early(training: Training, way: str) -> None:
    said = training(CODE, way, "train", **({"STEPLOG_AS_WANDB": "1"} if way == "as_wandb" else {}))
    columns = {f"{data}-{name}": values for data, metrics in said["found"].items() for name, values in metrics.items()}
    rounds = len(columns["test-auc"])
    assert 3 < rounds < 30 and len(columns) == 4
    assert training.api.history("local/p/r1") == [
        {"_step": index, "epoch": index, **{key: values[index] for key, values in columns.items()}}
        for index in range(rounds)
    ]
    run = training.run("local/p/r1")
    assert own(run["summary"]) == {
        "epoch": rounds - 1,
        "train-logloss": {"min": min(columns["train-logloss"])},
        "test-logloss": {"min": min(columns["test-logloss"])},
        "train-auc": {"max": max(columns["train-auc"])},
        "test-auc": {"max": max(columns["test-auc"])},
        "best_score": said["best"][0],
        "best_iteration": said["best"][1],
        "feature_importance": said["importance"],
    }
    assert set(run["config"]) == set(said["config"])
    assert run["config"]["learner"]["objective"] == said["config"]["learner"]["objective"]
    assert list(training.files("local/p/r1")) == ["r1_model.json"]


def test_cross_validation(training: Training) -> None:
    said = training(CODE, "own", "cv")
    columns = {
        f"{data}-{metric}-{part}": said[f"{data}-{metric}-{part}"]
        for data in ("train", "test")
        for metric in ("logloss", "auc")
        for part in ("mean", "std")
    }
    assert training.api.history("local/p/r1") == [
        {"_step": index, "epoch": index, **{key: values[index] for key, values in columns.items()}}
        for index in range(5)
    ]
    summary = training.run("local/p/r1")["summary"]
    assert summary["test-auc-mean"] == {"max": max(columns["test-auc-mean"])}
    assert summary["test-logloss-std"] == columns["test-logloss-std"][-1]
