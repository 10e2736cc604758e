"""What wandb has and steplog not yet: it can be imported and named, and says so when it is used."""

from __future__ import annotations

from steplog.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

MEDIA = "keep a file of it with run.save(), or an Image or Html of it in an artifact"
TABLES = "add a Table to an artifact, or log columns as metrics"
ARTIFACTS = "log_artifact() makes a version of each artifact that one process has put together"
SWEEPS = "begin one run for each set of values, with a group"

#: Classes of the module, and what to do instead.
CLASSES = {
    "ArtifactTTL": "set artifact.ttl to a timedelta, or to None",
    "Bokeh": MEDIA,
    "Box3D": "give Object3D.from_point_cloud() boxes as dicts with corners",
    "EvalTable": TABLES,
    "Graph": "watch(model, log_graph=True) keeps the layers of a PyTorch model",
    "Node": "watch(model, log_graph=True) keeps the layers of a PyTorch model",
    "Plotly": MEDIA,
}

#: Functions of the module.
FUNCTIONS = {
    "agent": SWEEPS,
    "box3d": "give Object3D.from_point_cloud() boxes as dicts with corners",
    "controller": SWEEPS,
    "plot_table": TABLES,
    "restore": "read files with steplog.Api().run(path).file(name)",
    "sweep": SWEEPS,
}

#: Methods of a run.
RUN = {
    "finish_artifact": ARTIFACTS,
    "plot_table": TABLES,
    "restore": "read files with steplog.Api().run(path).file(name)",
    "upsert_artifact": ARTIFACTS,
}


def refuse(name: str, instead: str) -> NoReturn:
    """Say that something is not there yet."""
    raise Error(f"{name} is not in steplog yet: {instead}")


def refusing(name: str, instead: str) -> Callable[..., NoReturn]:
    """A function that can be named and not called."""

    def call(*_: Any, **__: Any) -> NoReturn:
        refuse(name, instead)

    call.__name__ = call.__qualname__ = name.rpartition(".")[2]
    call.__doc__ = "Not in steplog yet."
    return call


def refusing_class(name: str, instead: str) -> type:
    """A class that can be named, asked for in ``isinstance``, and not made."""

    def __init__(self: Any, *_: Any, **__: Any) -> NoReturn:
        refuse(f"wandb.{name}", instead)

    return type(name, (), {"__init__": __init__, "__doc__": "Not in steplog yet.", "__module__": "wandb"})
