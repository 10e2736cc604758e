"""Hugging Face Transformers: a tiny model made here, and what its Trainer itself says of the training."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Training, own

CODE = """
import json, sys, torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

own, more = sys.argv[1] == "own", json.loads(sys.argv[2])
torch.manual_seed(0)
sizes = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
model = BertForSequenceClassification(BertConfig(vocab_size=50, max_position_embeddings=16, **sizes))
data = [{"input_ids": torch.randint(0, 50, (8,)), "labels": torch.tensor(index % 2)} for index in range(32)]
arguments = TrainingArguments(
    "out", max_steps=int(sys.argv[3]), logging_steps=2, eval_strategy="steps", eval_steps=4, save_steps=4,
    save_total_limit=1, report_to="none" if own else "wandb", run_name="tiny", use_cpu=True, disable_tqdm=True)
callbacks = []
if own:
    from steplog.integration.transformers import SteplogCallback
    callbacks.append(SteplogCallback(**more))
trainer = Trainer(model, arguments, train_dataset=data, eval_dataset=data[:8], callbacks=callbacks)
trainer.train()
predicted = trainer.predict(data[:4]).metrics
if not own:
    import wandb
    assert wandb.run.name == "tiny"
    wandb.finish()
print(json.dumps({"history": trainer.state.log_history, "predicted": predicted, "parameters": model.num_parameters()}))
"""

WHOLE = ("total_flos", "train_loss", "train_runtime", "train_samples_per_second", "train_steps_per_second")


def expected(said: Any) -> list[dict[str, Any]]:
    """The rows that the Trainer's own log means."""
    rows: list[dict[str, Any]] = []
    for entry in said["history"]:
        row: dict[str, Any] = {"_step": len(rows), "train/global_step": entry["step"]}
        for name, value in entry.items():
            if name.startswith("eval_"):
                row[f"eval/{name.removeprefix('eval_')}"] = value
            elif name not in (*WHOLE, "step"):
                row[f"train/{name}"] = value
        rows.append(row)
    last = rows[-1]["train/global_step"]
    predicted = {f"test/{name.removeprefix('test_')}": value for name, value in said["predicted"].items()}
    return [*rows, {"_step": len(rows), "train/global_step": last, **predicted}]


def check(training: Training, said: Any, rows: list[dict[str, Any]], path: str) -> None:
    assert rows == expected(said)
    run = training.run(path)
    assert run["run"]["name"] == "tiny"
    config = run["config"]
    assert (config["learning_rate"], config["hidden_size"], config["model_type"]) == (5e-05, 16, "bert")
    assert config["model/num_parameters"] == said["parameters"]
    last: dict[str, Any] = {}
    for row in rows:
        last.update(row)
    del last["_step"]
    whole = {name: value for name, value in said["history"][-1].items() if name in WHOLE}
    assert own(run["summary"]) == {**last, **whole}


@pytest.mark.parametrize("way", ["own", "as_wandb"])
def test_a_trainer(training: Training, way: str) -> None:
    variables = {"STEPLOG_AS_WANDB": "1"} if way == "as_wandb" else {}
    said = training(CODE, way, "{}", "8", **variables)
    path = training.only_run("local/huggingface")
    check(training, said, training.api.history(path), path)
    assert training.files(path) == {}


@pytest.mark.parametrize("way", ["own", "as_wandb"])
def test_histograms_of_the_model(training: Training, way: str) -> None:
    variables = {"STEPLOG_WATCH": "all", "WANDB_WATCH": "all", "STEPLOG_PROJECT": "p", "WANDB_PROJECT": "p"}
    said = training(CODE, way, "{}", "100", **variables, **({"STEPLOG_AS_WANDB": "1"} if way == "as_wandb" else {}))
    path = training.only_run("local/p")
    rows = training.api.history(path)
    histograms = {(row["_step"], key): value for row in rows for key, value in row.items() if isinstance(value, dict)}
    # At least a hundred batches apart: once.
    [step] = {step for step, _ in histograms}
    assert rows[step]["train/global_step"] == 100
    assert {key for _, key in histograms if key.startswith("gradients/")} == {
        key.replace("parameters/", "gradients/") for _, key in histograms if key.startswith("parameters/")
    }
    parameters = sum(sum(one["values"]) for (_, key), one in histograms.items() if key.startswith("parameters/"))
    assert parameters == said["parameters"]
    assert all(len(one["values"]) == 64 and len(one["bins"]) == 65 for one in histograms.values())
    plain = [{key: value for key, value in row.items() if not isinstance(value, dict)} for row in rows]
    assert plain == expected(said)


def test_checkpoints_and_the_model_are_files_of_the_run(training: Training) -> None:
    training(CODE, "own", '{"log_model": "checkpoint"}', "8")
    files = training.files(training.only_run("local/huggingface"))
    names = {name.partition("/")[0]: [] for name in files}
    for name in files:
        names[name.partition("/")[0]].append(name.partition("/")[2])
    # The Trainer has deleted the first one itself.
    assert sorted(path.name for path in (training.home / "out").iterdir()) == ["checkpoint-8"]
    assert set(names) == {"checkpoint-4", "checkpoint-8", "model"}
    assert sorted(names["model"]) == ["config.json", "model.safetensors"]
    assert {"model.safetensors", "optimizer.pt", "trainer_state.json"} <= set(names["checkpoint-4"])
    kept = (training.home / "out/checkpoint-8/model.safetensors").stat().st_size
    assert files["checkpoint-8/model.safetensors"] == kept


@pytest.mark.parametrize("log_model", ["end", "checkpoint"])
def test_models_become_artifacts(training: Training, log_model: str) -> None:
    training(CODE, "as_wandb", "{}", "8", STEPLOG_AS_WANDB="1", WANDB_LOG_MODEL=log_model)
    path = training.only_run("local/huggingface")
    logged = training.api.get(f"/runs/{path}/artifacts")["logged"]
    by_alias = {alias: artifact for artifact in logged for alias in artifact["aliases"]}
    checkpoints = {"checkpoint_global_step_4", "checkpoint_global_step_8"} if log_model == "checkpoint" else set()
    assert {"base_model", "final_model", "latest", *checkpoints} <= set(by_alias)
    assert {(artifact["type"], artifact["collection"].split("-")[0]) for artifact in logged} == {("model", "model")}
    assert by_alias["latest"] == by_alias["final_model"]
    final = by_alias["final_model"]
    assert final["metadata"]["final_model"] is True and final["metadata"]["train/global_step"] == 8
    address = f"/artifacts/{final['entity']}/{final['project']}/{final['collection']}/versions/{final['version']}"
    entries = training.api.get(f"{address}/entries")["entries"]
    assert {"config.json", "model.safetensors", "model_architecture.txt"} <= {entry["path"] for entry in entries}
    code = f"""
import json, sys
import steplog, transformers
folder = steplog.Api().artifact("{path.rpartition("/")[0]}/{final["collection"]}:final_model").download()
model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
print(json.dumps(model.num_parameters()))
"""
    assert training(code) == by_alias["base_model"]["metadata"]["num_parameters"]


ACCELERATE = """
import torch
from accelerate import Accelerator
accelerator = Accelerator(log_with="wandb", cpu=True)
accelerator.init_trackers("launched", config={"lr": 0.5}, init_kwargs={"wandb": {"name": "accelerated", "tags": ["a"]}})
model, optimizer = torch.nn.Linear(2, 1), None
model, optimizer = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.5))
for step in range(3):
    loss = model(torch.ones(4, 2) * (accelerator.process_index + 1)).pow(2).mean()
    accelerator.backward(loss)
    optimizer.step()
    accelerator.log({"loss": loss.item(), "ranks": accelerator.num_processes}, step=step)
accelerator.end_training()
"""


LAUNCHERS = {
    "accelerate": (1, ["accelerate.commands.accelerate_cli", "launch", "--cpu", "--num_processes", "1"]),
    "torchrun": (2, ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"]),
}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_script_that_is_launched(training: Training, launcher: str) -> None:
    ranks, command = LAUNCHERS[launcher]
    (training.home / "accelerated.py").write_text(ACCELERATE)
    launch = f"""
import subprocess, sys
subprocess.run([sys.executable, "-m", *{command}, "accelerated.py"], check=True)
"""
    training(launch, STEPLOG_AS_WANDB="1")
    path = training.only_run("local/launched")
    run = training.run(path)
    assert (run["run"]["name"], run["run"]["tags"], run["config"]) == ("accelerated", ["a"], {"lr": 0.5})
    rows = training.api.history(path)
    assert [(row["_step"], row["ranks"]) for row in rows] == [(step, ranks) for step in range(3)]
    assert all(isinstance(row["loss"], float) for row in rows)
