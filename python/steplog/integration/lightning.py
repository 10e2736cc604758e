"""PyTorch Lightning: a logger for its ``Trainer``.

>>> trainer = Trainer(logger=SteplogLogger(project="digits"))  # doctest: +SKIP
"""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping

import steplog
from steplog import _message, _session
from steplog.errors import InvalidDataError
from steplog.integration._framework import framework, keep, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from steplog import Run

    Function = TypeVar("Function", bound=Callable[..., Any])

    class Base:
        """``lightning.pytorch.loggers.Logger``."""

    def rank_zero_experiment(function: Function) -> Function:
        """Answer a stand-in on other ranks than the first."""

    def rank_zero_only(function: Function) -> Function:
        """Do nothing on other ranks than the first."""

else:
    _logger = framework(
        "lightning",
        "PyTorch Lightning",
        "lightning.pytorch.loggers.logger",
        "pytorch_lightning.loggers.logger",
    )
    Base = _logger.Logger
    rank_zero_experiment = _logger.rank_zero_experiment
    rank_zero_only = framework(
        "lightning",
        "PyTorch Lightning",
        "lightning.pytorch.utilities.rank_zero",
        "pytorch_lightning.utilities.rank_zero",
    ).rank_zero_only

__all__ = ["SteplogLogger"]


class SteplogLogger(Base):
    """Logs what a ``LightningModule`` logs to a run, over ``trainer/global_step``.

    The run begins with the training, or is the one that is open. It is not finished by the logger: more may be logged
    after ``fit``. Only the first rank records.

    Args:
        name: Name of the run, shown to people.
        save_dir: The folder below which the run is kept. Default: ``STEPLOG_DIR``, else the working directory.
        version: Id of the run; the same as ``id``.
        offline: Whether the run stays on this disk until ``steplog sync``.
        dir: The same as ``save_dir``.
        id: Id of the run; one that is there already is gone on with.
        project: Project. Default: ``STEPLOG_PROJECT``, else ``lightning_logs``.
        log_model: Whether checkpoints of ``ModelCheckpoint`` are saved with the run, as ``checkpoints/…``: ``True``:
            those that are there at the end; ``"all"``: each as it is written; ``False``: none.
        experiment: A run that was begun already.
        prefix: What the names of metrics begin with, before a ``-``.
        **kwargs: What else ``steplog.init`` takes.

    Raises:
        InvalidDataError: ``log_model`` is something else.
    """

    LOGGER_JOIN_CHAR = "-"

    def __init__(
        self,
        name: str | None = None,
        save_dir: str | os.PathLike[str] | None = None,
        version: str | None = None,
        offline: bool = False,
        dir: str | os.PathLike[str] | None = None,
        id: str | None = None,
        project: str | None = None,
        log_model: bool | str = False,
        experiment: Run | None = None,
        prefix: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if log_model not in (True, False, "all"):
            raise InvalidDataError(f"log_model is {log_model!r}, not one of True, False and 'all'")
        folder = save_dir if save_dir is not None else dir
        self._arguments: dict[str, Any] = {
            "name": name,
            "project": project or variable("PROJECT", "lightning_logs"),
            "dir": None if folder is None else os.fspath(folder),
            "id": version or id,
            "resume": "allow",
            "mode": "offline" if offline else None,
            **kwargs,
        }
        self._log_model = log_model
        self._experiment = experiment
        self._prefix = prefix
        #: Where another process finds the run, if this logger came from one.
        self._attach: tuple[str, dict[str, Any]] | None = None
        self._checkpoint_callbacks: dict[int, Any] = {}
        self._kept: dict[str, float] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Strategies that spawn processes pickle the logger: the run is to be begun before that, once.
        run = self.experiment
        state = self.__dict__.copy()
        state["_experiment"], state["_checkpoint_callbacks"] = None, {}
        if isinstance(run, steplog.Run):
            _, state["_attach"] = run.__reduce__()
        return state

    @property
    @rank_zero_experiment
    def experiment(self) -> Run:
        """The run; on other ranks than the first, something that ignores every call."""
        if self._experiment is None:
            if self._attach is not None:
                self._experiment = _session.attach(*self._attach)
            elif steplog.run is not None:
                _message.info("the logger goes on with the run that is open", once=True)
                self._experiment = steplog.run
            else:
                self._experiment = steplog.init(**self._arguments)
            if self._attach is None:
                self._experiment.define_metric("trainer/global_step")
                self._experiment.define_metric("*", step_metric="trainer/global_step", step_sync=True)
        return self._experiment

    def watch(self, model: Any, log: str | None = "gradients", log_freq: int = 100, log_graph: bool = False) -> None:
        """Log histograms of a model; see ``Run.watch``.

        Args:
            model: The model. Parameters are looked at when it is called itself: in ``training_step`` write ``self(x)``,
                or watch the module that is called there.
            log: ``"gradients"``, ``"parameters"``, ``"all"``, or ``None``.
            log_freq: How many batches there are from one histogram to the next.
            log_graph: Whether the layers of the model are kept as a file.
        """
        self.experiment.watch(model, log=log, log_freq=log_freq, log_graph=log_graph)

    @rank_zero_only
    def log_hyperparams(self, params: Mapping[str, Any] | Namespace | None, *args: Any, **kwargs: Any) -> None:
        """Set config values.

        Args:
            params: Names and values; what is no plain data is kept as its text.
            *args: Not looked at; other loggers take more.
            **kwargs: Not looked at.
        """
        values = vars(params) if isinstance(params, Namespace) else dict(params or {})
        self.experiment.config.update(values, allow_val_change=True)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log a row.

        Args:
            metrics: Values by name.
            step: The Trainer's step, which becomes ``trainer/global_step``.
        """
        prefix = f"{self._prefix}{self.LOGGER_JOIN_CHAR}" if self._prefix else ""
        row: dict[str, Any] = {f"{prefix}{name}": value for name, value in metrics.items()}
        if step is not None:
            row["trainer/global_step"] = step
        self.experiment.log(row)

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Save checkpoints with the run, now or at the end, as ``log_model`` says."""
        if self._log_model == "all" or (self._log_model is True and checkpoint_callback.save_top_k == -1):
            self._keep_checkpoints(checkpoint_callback)
        elif self._log_model is True:
            self._checkpoint_callbacks[id(checkpoint_callback)] = checkpoint_callback

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Save the checkpoints that are there at the end of a training that went well.

        Args:
            status: ``"success"``, or how else it ended.
        """
        if status == "success":
            for checkpoint_callback in self._checkpoint_callbacks.values():
                self._keep_checkpoints(checkpoint_callback)

    @rank_zero_only
    def _keep_checkpoints(self, callback: Any) -> None:
        paths = {callback.last_model_path, callback.best_model_path, *callback.best_k_models}
        for path in sorted(path for path in paths if path and os.path.exists(path)):
            changed_at = os.stat(path).st_mtime
            if self._kept.get(path) != changed_at:
                keep(self.experiment, path, f"checkpoints/{os.path.basename(path)}")
                self._kept[path] = changed_at
        if callback.best_model_path:
            self.experiment.summary["best_checkpoint"] = f"checkpoints/{os.path.basename(callback.best_model_path)}"

    @property
    def save_dir(self) -> str | None:
        """The folder below which the run is kept; ``None`` for the working directory."""
        folder: str | None = self._arguments["dir"]
        return folder

    @property
    def name(self) -> str | None:
        """The project."""
        project: str | None = self._arguments["project"]
        return project

    @property
    def version(self) -> str | None:
        """The run's id; before it began, the one it will get, if that is known."""
        return self._experiment.id if self._experiment is not None else self._arguments["id"]
