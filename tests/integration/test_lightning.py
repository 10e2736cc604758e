"""PyTorch Lightning: what the module itself saw of its training is what arrives."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Training, own

CODE = """
import json, sys, torch, lightning
from lightning.pytorch.callbacks import ModelCheckpoint

seen = []

class Module(lightning.LightningModule):
    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(4, 1)

    def forward(self, x):
        return self.layer(x)

    def training_step(self, batch, index):
        loss = (self(batch[0]) - batch[1]).pow(2).mean()
        self.log("train_loss", loss)
        seen.append({"train_loss": loss.item(), "epoch": self.current_epoch, "trainer/global_step": self.global_step})
        return loss

    def validation_step(self, batch, index):
        self.log("val_loss", (self(batch[0]) - batch[1]).pow(2).mean())

    def on_validation_epoch_end(self):
        if not self.trainer.sanity_checking:
            loss = self.trainer.callback_metrics["val_loss"].item()
            seen.append({"val_loss": loss, "epoch": self.current_epoch, "trainer/global_step": self.global_step - 1})

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)

def main():
    way, strategy, arguments = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    if way == "own":
        from steplog.integration.lightning import SteplogLogger as Logger
    else:
        from lightning.pytorch.loggers import WandbLogger as Logger
    lightning.seed_everything(0, verbose=False)
    data = torch.utils.data.TensorDataset(torch.randn(32, 4), torch.randn(32, 1))
    loader = torch.utils.data.DataLoader(data, batch_size=8)
    logger = Logger(project="p", name="night", id="r1", **arguments)
    module = Module()
    if strategy == "auto":
        logger.watch(module, log="all", log_freq=4)
    checkpoints = ModelCheckpoint("checkpoints", save_top_k=1, monitor="val_loss", filename="{epoch}")
    trainer = lightning.Trainer(
        max_epochs=3, logger=logger, log_every_n_steps=1, accelerator="cpu", strategy=strategy,
        devices=1 if strategy == "auto" else 2, callbacks=[checkpoints], enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0)
    trainer.fit(module, loader, loader)
    logger.experiment.config.update({"seen": len(seen)})
    logger.experiment.finish()
    best = checkpoints.best_model_path.rpartition("/")[2]
    print(json.dumps({"seen": seen, "best": best, "save_dir": logger.save_dir, "name": logger.name,
                      "version": logger.version}))

if __name__ == "__main__":
    main()
"""


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if not isinstance(value, dict)} for row in rows]


@pytest.mark.parametrize("way", ["own", "as_wandb"])
def test_a_training(training: Training, way: str) -> None:
    said = training(CODE, way, "auto", "{}", **({"STEPLOG_AS_WANDB": "1"} if way == "as_wandb" else {}))
    run = training.run("local/p/r1")
    assert run["run"]["name"] == "night"
    assert run["config"] == {"lr": 0.1, "seen": 15}
    rows = training.api.history("local/p/r1")
    assert plain(rows) == [{"_step": step, **row} for step, row in enumerate(said["seen"])]
    # Every fourth batch, in the row that follows; gradients of the last come with what is logged after it.
    watched = [key for row in rows for key, value in row.items() if isinstance(value, dict)]
    names = {f"{kind}/layer.{part}" for kind in ("gradients", "parameters") for part in ("weight", "bias")}
    assert {key.replace("\\", "") for key in watched} == names and len(watched) == 3 * 4
    assert (said["name"], said["version"]) == ("p", "r1")
    last = {key: value for row in plain(rows) for key, value in row.items() if key != "_step"}
    summary = own(run["summary"])
    assert {key: value for key, value in summary.items() if not isinstance(value, dict)} == last
    if way == "as_wandb":
        # WandbLogger asks for the layers by itself.
        assert summary["graph_0"]["_type"] == "graph-file"
        assert list(training.files("local/p/r1")) == [summary["graph_0"]["path"]]


def test_the_best_checkpoint_is_a_file_of_the_run(training: Training) -> None:
    said = training(CODE, "own", "auto", '{"log_model": true, "prefix": "a"}')
    run = training.run("local/p/r1")
    name = f"checkpoints/{said['best']}"
    assert run["summary"]["best_checkpoint"] == name
    size = (training.home / name).stat().st_size
    assert training.files("local/p/r1") == {name: size}
    metrics = {key for row in plain(training.api.history("local/p/r1")) for key in row}
    assert metrics == {"_step", "a-train_loss", "a-val_loss", "a-epoch", "trainer/global_step"}


@pytest.mark.parametrize("way", ["own", "as_wandb"])
def test_two_ranks_that_are_spawned_write_one_run(training: Training, way: str) -> None:
    variables = {"STEPLOG_AS_WANDB": "1"} if way == "as_wandb" else {}
    training(CODE, way, "ddp_spawn", "{}", **variables)
    run = training.run("local/p/r1")
    assert [one["id"] for one in training.api.runs("local/p")] == ["r1"]
    assert run["config"] == {"lr": 0.1, "seen": 0}
    rows = training.api.history("local/p/r1")
    steps = [row["trainer/global_step"] for row in rows if "train_loss" in row]
    assert steps == list(range(6)) and len([row for row in rows if "val_loss" in row]) == 3


def test_another_training_goes_on_with_the_run(training: Training) -> None:
    training(CODE, "own", "auto", "{}")
    said = training(CODE, "own", "auto", "{}")
    rows = plain(training.api.history("local/p/r1"))
    assert len(rows) == 30 and rows[15:] == [{"_step": 15 + step, **row} for step, row in enumerate(said["seen"])]
