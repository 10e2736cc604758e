"""Hugging Face ``transformers``: a callback for its ``Trainer``.

>>> trainer = Trainer(model, arguments, callbacks=[SteplogCallback()])  # doctest: +SKIP
"""

from __future__ import annotations

import os

import steplog
from steplog.errors import InvalidDataError
from steplog.integration._framework import framework, keep, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from steplog import Run

    class Base:
        """``transformers.TrainerCallback``."""

else:
    Base = framework("transformers", "Hugging Face Transformers", "transformers.trainer_callback").TrainerCallback

__all__ = ["SteplogCallback"]

#: What the Trainer says once at its end.
OF_THE_WHOLE_TRAINING = (
    "total_flos",
    "train_loss",
    "train_runtime",
    "train_samples_per_second",
    "train_steps_per_second",
)

LOG_MODEL = ("false", "end", "checkpoint")


class SteplogCallback(Base):
    """Logs what a ``Trainer`` logs to the open run; begins one if there is none.

    The metrics are ``train/…``, ``eval/…`` and ``test/…``, over ``train/global_step``. The config gets the arguments of
    the training and the config of the model. Only the first process of a distributed training records.

    Args:
        project: The project of a run that is begun here. Default: ``STEPLOG_PROJECT``, else ``huggingface``.
        log_model: Whether files of the model are saved with the run: ``"end"``: the trained model, as ``model/``;
            ``"checkpoint"``: that, and each checkpoint when the Trainer saves it; ``False``: none. Default:
            ``STEPLOG_LOG_MODEL``, else none.
        watch: What ``Run.watch`` is to log of the model: ``"gradients"``, ``"parameters"``, ``"all"``, or ``False``.
            Default: ``STEPLOG_WATCH``, else nothing.

    Raises:
        InvalidDataError: ``log_model`` or ``watch`` is something else.
    """

    def __init__(
        self, project: str | None = None, log_model: str | bool | None = None, watch: str | bool | None = None
    ) -> None:
        self._project = project
        self._log_model = str(variable("LOG_MODEL", "false") if log_model is None else log_model).lower()
        if self._log_model not in LOG_MODEL:
            raise InvalidDataError(f"log_model is {self._log_model!r}, not one of 'end', 'checkpoint' and False")
        self._watch = str(variable("WATCH", "false") if watch is None else watch).lower()
        if self._watch not in ("gradients", "parameters", "all", "false"):
            raise InvalidDataError(f"watch is {self._watch!r}, not 'gradients', 'parameters', 'all' or False")
        self._run: Run | None = None

    def setup(self, args: Any, state: Any, model: Any) -> None:
        """Begin a run if none is open, and describe the training in its config.

        Args:
            args: The ``TrainingArguments``.
            state: The ``TrainerState``.
            model: The model, or ``None``.
        """
        run = self._run = steplog.run or self._begin(args, state)
        config = dict(args.to_dict())
        model_config = getattr(model, "config", None)
        if model_config is not None:
            config = {**(model_config if isinstance(model_config, dict) else model_config.to_dict()), **config}
        if getattr(model, "peft_config", None) is not None:
            config["peft_config"] = model.peft_config
        if hasattr(model, "num_parameters"):
            config["model/num_parameters"] = model.num_parameters()
        run.config.update(config, allow_val_change=True)
        run.define_metric("train/global_step")
        run.define_metric("*", step_metric="train/global_step", step_sync=True)
        if self._watch != "false" and model is not None:
            run.watch(model, log=self._watch, log_freq=max(100, state.logging_steps))

    def _begin(self, args: Any, state: Any) -> Run:
        name = args.run_name if args.run_name != args.output_dir else None
        group = None
        if state.trial_name is not None:
            name, group = state.trial_name, args.run_name or args.output_dir
        return steplog.init(project=self._project or variable("PROJECT", "huggingface"), name=name, group=group)

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Set up; each trial of a hyperparameter search is a run of its own."""
        if not state.is_world_process_zero:
            return
        if state.is_hyper_param_search:
            steplog.finish()
            self._run = None
        if self._run is None or self._run.finished:
            self.setup(args, state, model)

    def on_log(
        self, args: Any, state: Any, control: Any, model: Any = None, logs: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """Log a row; what is said once of the whole training goes to the summary."""
        if not state.is_world_process_zero:
            return
        if self._run is None:
            self.setup(args, state, model)
        assert self._run is not None
        logs = logs or {}
        whole = {key: value for key, value in logs.items() if key in OF_THE_WHOLE_TRAINING}
        if whole:
            self._run.summary.update(whole)
        row = _renamed({key: value for key, value in logs.items() if key not in whole})
        self._run.log({**row, "train/global_step": state.global_step})

    def on_predict(self, args: Any, state: Any, control: Any, metrics: dict[str, Any], **kwargs: Any) -> None:
        """Log the metrics of a prediction."""
        if not state.is_world_process_zero:
            return
        if self._run is None:
            self.setup(args, state, kwargs.get("model"))
        assert self._run is not None
        self._run.log(_renamed(metrics))

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Save a checkpoint with the run."""
        if self._log_model == "checkpoint" and self._run is not None and state.is_world_process_zero:
            name = f"checkpoint-{state.global_step}"
            keep(self._run, os.path.join(args.output_dir, name), name)

    def on_train_end(
        self, args: Any, state: Any, control: Any, model: Any = None, processing_class: Any = None, **kwargs: Any
    ) -> None:
        """Save the trained model with the run: the best one, if the Trainer loads that at the end."""
        if self._log_model == "false" or self._run is None or not state.is_world_process_zero or self._run.disabled:
            return
        folder = os.path.join(self._run.dir, "model")
        for part in (model, processing_class):
            if hasattr(part, "save_pretrained"):
                part.save_pretrained(folder)
        self._run.save(folder, base_path=self._run.dir, policy="now", glob=False)


def _renamed(logs: dict[str, Any]) -> dict[str, Any]:
    renamed = {}
    for key, value in logs.items():
        kind, _, rest = key.partition("_")
        renamed[f"{kind}/{rest}" if kind in ("eval", "test") and rest else f"train/{key}"] = value
    return renamed
