"""Real PyTorch: workers of a DataLoader, ranks of DistributedDataParallel, tensors as values, watched models."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig import watched
from rig.processes import Server, processes_of
from rig.pytorch import Pytorch
from rig.waiting import wait_until

KINDS = ("gradients", "parameters")


@pytest.fixture
def pytorch(home: Path, server: Server) -> Pytorch:
    return Pytorch(home, server.url)


# What a model is made of does not matter here: what its loader and its processes do beside a live run does.
LOADER = """
import os, sys, torch, steplog
from torch.utils.data import DataLoader, Dataset

class Squares(Dataset):
    def __init__(self, run):
        self.run = run

    def __len__(self):
        return 64

    def __getitem__(self, index):
        if self.run is not None:
            self.run.log({f"worker/{torch.utils.data.get_worker_info().id}": index})
        return torch.tensor([float(index)]), torch.tensor([float(index) ** 2])

def main(method, logs, persistent):
    run = steplog.init(project="p", id="a", config={"lr": 1e-4})
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    loader = DataLoader(Squares(run if logs == "logs" else None), batch_size=8, num_workers=2,
                        multiprocessing_context=method, persistent_workers=persistent == "persistent")
    for epoch in range(3):
        for x, y in loader:
            loss = torch.nn.functional.mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            run.log({"loss": loss, "epoch": epoch})
    run.finish()

if __name__ == "__main__":
    main(*sys.argv[1:])
"""


@pytest.mark.parametrize("lives", ["each epoch", "persistent"])
@pytest.mark.parametrize("logs", ["logs", "silent"])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_a_data_loader(
    home: Path, server: Server, pytorch: Pytorch, method: str, logs: str, lives: str
) -> None:
    with pytorch.script(LOADER, method, logs, lives) as script:
        code, _ = script.end()
        assert (code, script.said()) == (0, ""), script.said()
    # Helpers of `multiprocessing` notice a moment later that the script has ended.
    wait_until(
        lambda: [command for command in processes_of(home).values() if " serve " not in command] == [],
        "no process is left",
    )
    rows = server.api.history("local/p/a")
    assert [row["epoch"] for row in rows if "loss" in row] == [epoch for epoch in range(3) for _ in range(8)]
    assert all(isinstance(row["loss"], float) for row in rows if "loss" in row)
    run = server.api.run("local/p/a")
    assert (run["run"]["state"], run["run"]["exit_code"]) == ("finished", 0)
    # Two workers, anew in each epoch unless they stay.
    workers = 2 if lives == "persistent" else 6
    assert len(run["streams"]) == 1 + (workers if logs == "logs" else 0)
    assert sum(stream["record_count"] for stream in run["streams"]) >= len(rows)
    if logs == "logs" and method == "fork":
        # One counter for all: no two rows share a step, so all are there.
        assert len(rows) == 3 * (8 + 64)
        for worker in range(2):
            # A loader gives its workers batches of 8 in turn.
            mine = [index for start in range(worker * 8, 64, 16) for index in range(start, start + 8)]
            indices = [row[f"worker/{worker}"] for row in rows if f"worker/{worker}" in row]
            assert sorted(indices) == sorted(3 * mine)
    if logs == "silent":
        assert len(rows) == 3 * 8


DDP = """
import os, sys, torch, steplog
import torch.distributed
from torch.nn.parallel import DistributedDataParallel

torch.distributed.init_process_group("gloo")
rank = torch.distributed.get_rank()
if sys.argv[1] == "shared":
    run = steplog.init(project="p", id="ddp", mode="shared", settings={"label": f"rank {rank}", "primary": rank == 0},
                       config={"world_size": torch.distributed.get_world_size()} if rank == 0 else None)
    prefix = f"rank {rank}/"
else:
    run = steplog.init(project="p", group="ddp", name=f"rank {rank}", config={"rank": rank})
    prefix = ""
torch.manual_seed(0)
model = DistributedDataParallel(torch.nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(20):
    x = torch.ones(8, 4) * (rank + 1)
    loss = (model(x) - 1).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    # The same on every rank after each step: the ranks really train together.
    run.log({f"{prefix}loss": loss.detach(), f"{prefix}weight": next(model.parameters())[0, 0]})
torch.distributed.barrier()
torch.distributed.destroy_process_group()
run.finish()
"""


def test_two_ranks_with_a_run_each(server: Server, pytorch: Pytorch) -> None:
    with pytorch.ranks(DDP, 2, "group") as ranks:
        for rank in ranks:
            assert rank.end()[0] == 0, rank.said()
    runs = server.api.runs("local/p")
    assert sorted((run["name"], run["group"], run["state"], run["row_count"]) for run in runs) == [
        ("rank 0", "ddp", "finished", 20),
        ("rank 1", "ddp", "finished", 20),
    ]
    first, second = (server.api.history(f"local/p/{run['id']}", "weight") for run in runs)
    assert first == second and len({row["weight"] for row in first}) == 20


def test_two_ranks_in_one_shared_run(server: Server, pytorch: Pytorch) -> None:
    with pytorch.ranks(DDP, 2, "shared", homes=True) as ranks:
        for rank in ranks:
            assert rank.end()[0] == 0, rank.said()
    run = server.api.run("local/p/ddp")
    assert (run["run"]["state"], run["run"]["exit_code"], run["config"]) == ("finished", 0, {"world_size": 2})
    assert sorted(stream["label"] for stream in run["streams"]) == ["rank 0", "rank 1"]
    rows = server.api.history("local/p/ddp")
    assert [row["_step"] for row in rows] == list(range(20))
    assert all(row["rank 0/weight"] == row["rank 1/weight"] for row in rows)
    assert all(row["rank 0/loss"] != row["rank 1/loss"] for row in rows)


VALUES = """
import torch, steplog
with steplog.init(project="p", id="a") as run:
    weight = torch.tensor([0.1, 2.0], requires_grad=True)
    run.log({
        "zero dimensions": torch.tensor(0.1),
        "one element": torch.tensor([0.1]),
        "wants a gradient": weight[0],
        "has a gradient": weight.sum() * 2,
        "double": torch.tensor(0.1, dtype=torch.float64),
        "half": torch.tensor(0.1, dtype=torch.float16),
        "bfloat16": torch.tensor(0.1, dtype=torch.bfloat16),
        "integer": torch.tensor(2 ** 40),
        "byte": torch.tensor(200, dtype=torch.uint8),
        "yes": torch.tensor(True),
        "not a number": torch.tensor(float("nan")),
        "infinite": torch.tensor(float("-inf"), dtype=torch.bfloat16),
        "of numpy": torch.tensor([1.5]).numpy()[0],
        "parameter": torch.nn.Parameter(torch.tensor(0.5)),
        "few": torch.tensor([1.0, 2.0]),
        "nested": {"loss": torch.tensor(0.25)},
    })
    run.config.update({"scale": torch.tensor(0.5), "sizes": torch.tensor([3, 4])})
    run.summary["best"] = torch.tensor(0.75)
"""


def test_tensors_are_the_numbers_that_they_hold(server: Server, pytorch: Pytorch) -> None:
    with pytorch.script(VALUES) as script:
        assert script.end()[0] == 0, script.said()
    single = 0.10000000149011612
    assert server.api.history("local/p/a") == [
        {
            "_step": 0,
            "zero dimensions": single,
            "one element": single,
            "wants a gradient": single,
            "has a gradient": 4.199999809265137,
            "double": 0.1,
            "half": 0.0999755859375,
            "bfloat16": 0.10009765625,
            "integer": 2**40,
            "byte": 200,
            "yes": True,
            "not a number": "NaN",
            "infinite": "-Infinity",
            "of numpy": 1.5,
            "parameter": 0.5,
            "few": [1.0, 2.0],
            "nested.loss": 0.25,
        }
    ]
    run = server.api.run("local/p/a")
    assert run["config"] == {"scale": 0.5, "sizes": [3, 4]}
    assert run["summary"]["best"] == 0.75


def test_histograms_of_a_model_in_training(server: Server, pytorch: Pytorch) -> None:
    with pytorch.script(watched.TRAINING) as script:
        assert script.end()[0] == 0, script.said()
    rows = server.api.history("local/p/a")
    names = {rf"{kind}/{layer}\.{part}" for kind in KINDS for layer in (0, 2) for part in ("weight", "bias")}
    assert [{key for key in row if "/" in key} for row in rows] == [
        names if step in (2, 5) else set() for step in range(7)
    ]
    histogram = rows[2][r"gradients/0\.weight"]
    assert (histogram["_type"], len(histogram["values"]), len(histogram["bins"])) == ("histogram", 64, 65)
    assert sum(histogram["values"]) == 600


@pytest.mark.parametrize("script", ["CHOICES", "NUMBERS", "COPIES", "GRAPH"])
def test_what_is_watched(server: Server, pytorch: Pytorch, script: str) -> None:
    with pytorch.script(getattr(watched, script), STEPLOG_SAVE_REQUIREMENTS="false") as process:
        assert process.end()[0] == 0, process.said()
    run = server.api.run("local/p/a")
    assert run["run"]["state"] == "finished"
    if script == "GRAPH":
        told = run["summary"]["graph_0"]
        [file] = server.api.get("/runs/local/p/a/files")["files"]
        assert (file["path"], file["size_bytes"]) == (told["path"], told["size"])


def test_a_model_that_two_ranks_train_is_watched_by_its_own_names(server: Server, pytorch: Pytorch) -> None:
    with pytorch.ranks(watched.DDP, 2) as ranks:
        for rank in ranks:
            assert rank.end()[0] == 0, rank.said()
    first, second = (server.api.history(f"local/p/rank-{rank}") for rank in range(2))
    # The same parameters, and gradients of each rank's own batch.
    assert first[1][r"parameters/0\.weight"] == second[1][r"parameters/0\.weight"]
    assert first[1][r"gradients/0\.weight"] != second[1][r"gradients/0\.weight"]
