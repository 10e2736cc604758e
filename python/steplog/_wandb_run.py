"""What frameworks use of a wandb run that a steplog run does not have by itself."""

from __future__ import annotations

import json

from steplog import _session
from steplog._wandb_absent import RUN, refusing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from steplog._run import Run


def members() -> dict[str, Any]:
    """The members by name."""
    return {
        "_attach_id": property(attach_id),
        "_label": label,
        **{name: refusing(f"run.{name}", instead) for name, instead in RUN.items()},
    }


def attach_id(run: Run) -> str:
    """What another process needs to write a part of the run; Lightning hands it to the processes that it spawns."""
    _, (path, arguments) = run.__reduce__()
    return json.dumps([path, arguments])


def attach(text: str) -> Run:
    """The run of an ``attach_id``."""
    path, arguments = json.loads(text)
    run = _session.attach(path, {**arguments, "attach": tuple(arguments["attach"])})
    _session.make_global(run)
    return run


def label(
    run: Run,
    code: str | None = None,
    repo: str | None = None,
    code_version: str | None = None,
    **more: Any,
) -> None:
    """Take which framework calls: telemetry of wandb's makers, of which steplog has none."""
