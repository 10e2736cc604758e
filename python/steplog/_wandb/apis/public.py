"""Reading from a server, at the place where wandb defines it."""

from steplog.api import Api, File, Files, Project, Run, Runs, Summary

__all__ = ["Api", "File", "Files", "Project", "Run", "Runs", "Summary"]
