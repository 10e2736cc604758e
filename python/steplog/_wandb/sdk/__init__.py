"""The parts of wandb below its face."""

from steplog import Artifact, Histogram

from . import lib, wandb_run
from .wandb_init import init
from .wandb_login import login
from .wandb_run import Run, finish
from .wandb_settings import Settings
from .wandb_setup import setup, teardown

__all__ = [
    "Artifact",
    "Histogram",
    "Run",
    "Settings",
    "finish",
    "init",
    "lib",
    "login",
    "setup",
    "teardown",
    "wandb_run",
]
