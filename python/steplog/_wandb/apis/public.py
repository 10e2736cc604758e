"""Reading from a server, at the place where wandb defines it."""

from steplog import Artifact
from steplog.api import Api, ArtifactCollection, ArtifactType, File, Files, Project, Run, Runs, Summary

__all__ = [
    "Api",
    "Artifact",
    "ArtifactCollection",
    "ArtifactType",
    "File",
    "Files",
    "Project",
    "Run",
    "Runs",
    "Summary",
]
