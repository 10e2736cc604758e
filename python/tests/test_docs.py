"""What help() shows is what editors and docs/python-api.md show, which read the sources."""

from __future__ import annotations

import inspect

import griffe
import pytest

import steplog
from steplog import _absent

SOURCES = griffe.load("steplog", allow_inspection=False)


def plain(text: str | None) -> str:
    """A docstring without line breaks, and without the marks that Rust has about other names than Python."""
    return " ".join((text or "").replace("`", "").split())


def public(owner: str) -> list[str]:
    return [name for name in SOURCES[owner].members if not name.startswith("_")]


@pytest.mark.parametrize("name", public("_run.Run"))
def test_members_of_a_run_have_the_same_docs_at_run_time(name: str) -> None:
    written = SOURCES[f"_run.Run.{name}"].docstring
    assert written is not None
    assert plain(inspect.getdoc(getattr(steplog.Run, name))) == plain(written.value)


@pytest.mark.parametrize("name", [*_absent.CALLS, "finish", "join"])
def test_functions_of_the_module_take_what_the_methods_take(name: str) -> None:
    def arguments(path: str) -> list[tuple[str, str, str | None]]:
        parameters = [parameter for parameter in SOURCES[path].parameters if parameter.name != "self"]
        return [(parameter.name, str(parameter.annotation), parameter.default) for parameter in parameters]

    assert arguments(name) == arguments(f"_run.Run.{name}")
