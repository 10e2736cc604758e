"""W&B online, against a server that answers the two requests it needs and keeps nothing."""

from __future__ import annotations

from adapters import wandb
from adapters.wandb import count, finish, start

__all__ = ["count", "finish", "start"]

TITLE = "wandb (online, stub)"
VENV = wandb.VENV
REQUIREMENTS = wandb.REQUIREMENTS
IMPORT = wandb.IMPORT
SERVER = "wandb_stub"
ENVIRONMENT = {
    **wandb.ENVIRONMENT,
    "WANDB_MODE": "online",
    "WANDB_API_KEY": "0123456789abcdef" * 2 + "01234567",
    "WANDB_BASE_URL": "{server}",
}
