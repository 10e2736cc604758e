"""What a run does with artifacts: what its arguments mean."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from steplog._argument import tag_list, text
from steplog._artifact import Artifact, alias_list
from steplog.errors import InvalidDataError

if TYPE_CHECKING:
    from steplog._run import Run

#: The type of what is logged by its path alone.
UNSPECIFIED = "unspecified"

#: The registry that models are linked into when none is named.
MODEL_REGISTRY = "model-registry"


def log_artifact(run: Run, artifact_or_path: Any, name: Any, type: Any, aliases: Any, tags: Any) -> Artifact:
    """Make a version of a draft, a path or a URI."""
    artifact = _to_artifact(run, "log_artifact", artifact_or_path, name, type)
    if tags is not None:
        artifact.tags = [*artifact.tags, *([tags] if isinstance(tags, str) else tag_list(tags))]
    artifact._take_in()
    run.record_artifact(artifact._native, alias_list(aliases))
    return artifact


def use_artifact(run: Run, artifact_or_name: Any, type: Any, aliases: Any) -> Artifact:
    """Take a version as an input."""
    wanted = None if type is None else text("type", type)
    names = alias_list(aliases)
    if isinstance(artifact_or_name, Artifact):
        artifact = artifact_or_name
        if wanted not in (None, artifact.type):
            raise InvalidDataError(f'{artifact.name} has the type "{artifact.type}", not "{wanted}"')
        if artifact._native.state == "draft":
            artifact._take_in()
            run.record_input(artifact._native, names)
            names = []
        artifact.wait()
        run.record_use(artifact._native, wanted, names)
        return artifact
    if not isinstance(artifact_or_name, str):
        kind = artifact_or_name.__class__.__name__
        raise InvalidDataError(f"use_artifact takes a name or an Artifact, not a {kind}")
    artifact = Artifact._of(run.find_artifact(artifact_or_name, wanted))
    if names:
        artifact.aliases = [*artifact.aliases, *names]
        artifact.save()
    return artifact


def used_as(run: Run, key: str, value: Any) -> Any:
    """What a config keeps of an artifact, which the run uses then; other values as they are."""
    if not isinstance(value, Artifact):
        return value
    use_artifact(run, value, None, None)
    return {**value.json_encode(), "usedAs": key}


def link_artifact(run: Run, artifact: Any, target_path: Any, aliases: Any) -> None:
    """Link a version into a registry."""
    if not isinstance(artifact, Artifact):
        raise InvalidDataError(f"link_artifact takes an Artifact, not a {artifact.__class__.__name__}")
    if artifact._native.state == "draft":
        artifact._take_in()
    run.record_link(artifact._native, text("target_path", target_path), alias_list(aliases))


def log_model(run: Run, path: Any, name: Any, aliases: Any) -> Artifact:
    """Make a version of the files of a model."""
    return log_artifact(run, _local("log_model", path), name, "model", aliases, None)


def use_model(run: Run, name: Any) -> str:
    """Bring the files of a model to this disk."""
    artifact = Artifact._of(run.find_model(text("name", name)))
    folder = artifact.download()
    entries = artifact.files()
    return os.path.join(folder, *entries[0].path.split("/")) if len(entries) == 1 else folder


def link_model(run: Run, path: Any, registered_model_name: Any, name: Any, aliases: Any) -> Artifact:
    """Make a version of the files of a model, and link it into a registry."""
    target = text("registered_model_name", registered_model_name)
    if not target or "/" in target or ":" in target:
        raise InvalidDataError(f"link_model: {target!r} is no name of a registered model; link_artifact takes paths")
    artifact = log_model(run, path, name, None)
    link_artifact(run, artifact, f"{MODEL_REGISTRY}/{target}", aliases)
    return artifact


def _to_artifact(run: Run, call: str, artifact_or_path: Any, name: Any, type: Any) -> Artifact:
    if isinstance(artifact_or_path, Artifact):
        for noun, said, own in (("name", name, artifact_or_path.name), ("type", type, artifact_or_path.type)):
            if said is not None and said != own:
                raise InvalidDataError(f"{call}: the artifact has the {noun} {own!r}, not {said!r}; leave {noun} out")
        return artifact_or_path
    if not isinstance(artifact_or_path, (str, os.PathLike)):
        kind = artifact_or_path.__class__.__name__
        raise InvalidDataError(f"{call} takes a path, a URI or an Artifact, not a {kind}")
    place = os.fspath(artifact_or_path)
    is_uri = isinstance(place, str) and "://" in place
    artifact = Artifact(_default_name(run, place) if name is None else name, UNSPECIFIED if type is None else type)
    run.send_early(artifact._native)
    if is_uri:
        artifact.add_reference(place)
    elif os.path.isdir(_local(call, place)):
        artifact.add_dir(place)
    else:
        artifact.add_file(place)
    return artifact


def _local(call: str, path: Any) -> str:
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidDataError(f"{call}: the path is a {path.__class__.__name__}, not a str or path")
    place = os.fspath(path)
    if not isinstance(place, str) or "\0" in place or not os.path.exists(place):
        raise InvalidDataError(f"{call}: there is no file or folder {place!r}")
    return place


def _default_name(run: Run, place: str) -> str:
    """``run-<id>-<last part>``, with ``_`` in place of what names cannot have."""
    base = os.path.basename(place.rstrip("/")) or os.path.basename(os.path.abspath(place))
    return re.sub(r"[^A-Za-z0-9_.-]", "_", f"run-{run.id}-{base}")[:128]
