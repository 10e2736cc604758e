"""``wandb.init``: its arguments, as steplog takes them."""

from __future__ import annotations

import steplog
from steplog import _message
from steplog._wandb_absent import refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from typing import Any

    from steplog import Run

__all__ = ["init"]


def init(
    entity: str | None = None,
    project: str | None = None,
    dir: str | os.PathLike[str] | None = None,
    id: str | None = None,
    name: str | None = None,
    notes: str | None = None,
    tags: Sequence[str] | None = None,
    config: Any = None,
    config_exclude_keys: list[str] | None = None,
    config_include_keys: list[str] | None = None,
    allow_val_change: bool | None = None,
    group: str | None = None,
    job_type: str | None = None,
    mode: str | None = None,
    force: bool | None = None,
    reinit: bool | str | None = None,
    resume: bool | str | None = None,
    resume_from: str | None = None,
    fork_from: str | None = None,
    save_code: bool | None = None,
    tensorboard: bool | None = None,
    sync_tensorboard: bool | None = None,
    monitor_gym: bool | None = None,
    settings: Mapping[str, Any] | None = None,
    anonymous: object = None,
    magic: object = None,
) -> Run:
    """Begin a run, as ``steplog.init`` does; the order of the arguments is that of wandb.

    ``force`` makes it an error that the server does not let us in; ``tensorboard`` is ``sync_tensorboard``;
    ``anonymous`` and ``magic`` mean nothing, as in wandb itself.

    Raises:
        Error: Videos of gym environments are asked for, which steplog does not record yet.
    """
    if monitor_gym:
        refuse("wandb.init(monitor_gym=True)", "log the rewards, and keep videos with run.save()")
    for argument, value in (("anonymous", anonymous), ("magic", magic)):
        if value not in (None, False, "never"):
            _message.warn(f"init: {argument} has no meaning here", once=True)
    if force:
        steplog.login(verify=True)
    return steplog.init(
        project=project,
        entity=entity,
        name=name,
        id=id,
        config=config,
        tags=tags,
        notes=notes,
        group=group,
        job_type=job_type,
        dir=dir,
        mode=mode,
        resume=resume,
        reinit=reinit,
        fork_from=fork_from,
        resume_from=resume_from,
        allow_val_change=allow_val_change,
        config_exclude_keys=config_exclude_keys,
        config_include_keys=config_include_keys,
        save_code=save_code,
        sync_tensorboard=sync_tensorboard if sync_tensorboard is not None else tensorboard,
        settings=settings,
    )
