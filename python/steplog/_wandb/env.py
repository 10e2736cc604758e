"""Environment variables as wandb names them; steplog reads each as ``STEPLOG_X``, then as ``WANDB_X``."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

API_KEY = "WANDB_API_KEY"
BASE_URL = "WANDB_BASE_URL"
DIR = "WANDB_DIR"
ENTITY = "WANDB_ENTITY"
JOB_TYPE = "WANDB_JOB_TYPE"
MODE = "WANDB_MODE"
NAME = "WANDB_NAME"
NOTES = "WANDB_NOTES"
PROJECT = "WANDB_PROJECT"
RESUME = "WANDB_RESUME"
RUN_GROUP = "WANDB_RUN_GROUP"
RUN_ID = "WANDB_RUN_ID"
SILENT = "WANDB_SILENT"
SWEEP_ID = "WANDB_SWEEP_ID"
TAGS = "WANDB_TAGS"


def _get(name: str, default: str | None, env: MutableMapping[str, str] | None) -> str | None:
    env = os.environ if env is None else env
    return env.get(name.replace("WANDB_", "STEPLOG_")) or env.get(name) or default


def get_project(default: str | None = None, env: MutableMapping[str, str] | None = None) -> str | None:
    """The project that the environment names."""
    return _get(PROJECT, default, env)


def get_entity(default: str | None = None, env: MutableMapping[str, str] | None = None) -> str | None:
    """The entity that the environment names."""
    return _get(ENTITY, default, env)


def get_run(default: str | None = None, env: MutableMapping[str, str] | None = None) -> str | None:
    """The id of the run that the environment names."""
    return _get(RUN_ID, default, env)


def get_dir(default: str | None = None, env: MutableMapping[str, str] | None = None) -> str | None:
    """The folder that the environment names."""
    return _get(DIR, default, env)


def get_base_url(default: str | None = None, env: MutableMapping[str, str] | None = None) -> str | None:
    """The server that the environment names."""
    return _get(BASE_URL, default, env)


def set_project(value: str, env: MutableMapping[str, str] | None = None) -> None:
    """Name a project in the environment."""
    (os.environ if env is None else env)[PROJECT] = value or "uncategorized"


def set_entity(value: str, env: MutableMapping[str, str] | None = None) -> None:
    """Name an entity in the environment."""
    (os.environ if env is None else env)[ENTITY] = value


def is_offline(env: MutableMapping[str, str] | None = None) -> bool:
    """Whether the environment wants runs to stay on this disk."""
    return (_get(MODE, None, env) or "").lower() in ("offline", "dryrun")
