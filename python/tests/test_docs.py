"""What help() shows is what editors and docs/python-api.md show, which read the sources."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import griffe
import pytest

import steplog
from steplog import _absent

COMING_FROM_WANDB = Path(__file__).parents[2] / "docs" / "coming-from-wandb.md"

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


def told_to_be_there(first_column: str) -> dict[str, bool]:
    """The names in the table with this title, and whether the page tells that they are there."""
    _, _, below = COMING_FROM_WANDB.read_text().partition(f"| {first_column} | |")
    table = below.split("\n\n")[0].splitlines()[2:]
    cells = [row.split("|")[1:3] for row in table]
    assert {status.strip(" *") for _, status in cells} == {"same", "differs", "not yet"}
    return {
        name: status.strip(" *") != "not yet"
        for names, status in cells
        for name in re.findall(r"`(\w+)(?:\(\))?`", names)
    }


def test_the_page_for_users_of_wandb_tells_which_members_are_there() -> None:
    run = told_to_be_there("member of a run")
    assert run == {name: name in public("_run.Run") for name in run}
    # What the page does not name is ours alone.
    assert set(public("_run.Run")) - set(run) == {"finished", "label"}
    module = told_to_be_there("member of the module")
    assert module == {name: name in steplog.__all__ for name in module}
    arguments = told_to_be_there("argument")
    assert arguments == {name: name in inspect.signature(steplog.init).parameters for name in arguments}
    assert [name for name in inspect.signature(steplog.init).parameters if name not in arguments] == []
