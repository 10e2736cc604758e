"""``init``: arguments, environment, and what they are checked for."""

from __future__ import annotations

import argparse
import copy
import json
import re
import time
from collections import OrderedDict
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pytest

import steplog
from conftest import history, journals, run_folder


def test_what_was_given_is_what_the_run_says_and_what_its_journal_begins_with(tmp_path: Path) -> None:
    run = steplog.init(
        project="digits",
        entity="ann",
        name="lr-0.1",
        id="abc",
        config={"lr": 0.1},
        tags=["b", "a", "b"],
        notes="$$x^2$$\nsecond",
        group="lr-search",
        job_type="train",
        dir=tmp_path / "runs",
    )
    assert (run.project, run.entity, run.name, run.id) == ("digits", "ann", "lr-0.1", "abc")
    assert (run.tags, run.notes, run.group, run.job_type) == (("b", "a", "b"), "$$x^2$$\nsecond", "lr-search", "train")
    assert (run.path, run.step, run.mode) == ("ann/digits/abc", 0, "offline")
    assert run.dir == str(tmp_path / "runs/steplog/digits/abc/files")
    assert Path(run.dir).is_dir()
    assert abs(run.start_time - time.time()) < 60
    [journal] = journals(run)
    start = journal.start
    environment = start.pop("environment")
    assert {"python", "program", "steplog_version"} <= environment.keys()
    del start["host"], start["process_id"], start["started_at"]
    assert start == {
        "run_id": "abc",
        "project": "digits",
        "entity": "ann",
        "name": "lr-0.1",
        "notes": "$$x^2$$\nsecond",
        "tags": ["b", "a", "b"],
        "group": "lr-search",
        "job_type": "train",
        "mode": "offline",
        "first_step": 0,
    }
    assert journal.config == [("lr", 0.1)]


def test_defaults(tmp_path: Path) -> None:
    run = steplog.init()
    assert re.fullmatch("[a-z0-9]{8}", run.id)
    assert (run.project, run.entity, run.name, run.notes) == ("uncategorized", "local", None, None)
    assert (run.tags, run.group, run.job_type) == ((), "", "")
    assert run.path == f"local/uncategorized/{run.id}"
    assert run.dir == str(tmp_path / "steplog/uncategorized" / run.id / "files")
    assert (run.url, run.get_url(), run.get_project_url()) == (None, None, None)


def test_an_online_run_knows_its_url_without_a_server() -> None:
    run = steplog.init(
        project="a b",
        id="r+1",
        entity="ann",
        mode="online",
        settings={"base_url": "http://127.0.0.1:9/", "finish_timeout": 0},
    )
    assert run.url == "http://127.0.0.1:9/ann/a%20b/runs/r%2B1"
    assert run.get_url() == run.url
    assert run.get_project_url() == "http://127.0.0.1:9/ann/a%20b"


def test_arguments_beat_the_environment_and_its_first_prefix_beats_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_PROJECT", "old")
    monkeypatch.setenv("WANDB_NOTES", "old notes")
    monkeypatch.setenv("STEPLOG_PROJECT", "new")
    monkeypatch.setenv("STEPLOG_NAME", "from the environment")
    monkeypatch.setenv("STEPLOG_TAGS", "a, b,,c")
    monkeypatch.setenv("STEPLOG_RUN_GROUP", "g")
    monkeypatch.setenv("STEPLOG_JOB_TYPE", "eval")
    monkeypatch.setenv("STEPLOG_RUN_ID", "id1")
    monkeypatch.setenv("STEPLOG_ENTITY", "")
    monkeypatch.setenv("WANDB_ENTITY", "bob")
    run = steplog.init(name="given")
    assert (run.project, run.notes, run.name, run.tags) == ("new", "old notes", "given", ("a", "b", "c"))
    assert (run.group, run.job_type, run.path) == ("g", "eval", "bob/new/id1")


def test_the_folder_can_come_from_the_environment_and_a_later_chdir_does_not_move_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPLOG_DIR", "deep/er")
    run = steplog.init(project="p", id="a")
    assert run.dir == str(tmp_path / "deep/er/steplog/p/a/files")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run.log({"x": 1})
    assert history(run) == {0: {"x": 1}}


def test_a_hidden_folder_is_used_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / ".steplog").mkdir()
    assert steplog.init(project="p", id="a").dir == str(tmp_path / ".steplog/p/a/files")


def test_a_folder_that_cannot_be_made_is_replaced_by_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setenv("STEPLOG_SILENT", "")
    run = steplog.init(project="p", id="a", dir=tmp_path / "file", settings={"quiet": True})
    assert run.dir == str(tmp_path / "tmp/steplog/p/a/files")
    run.log({"x": 1})
    assert history(run) == {0: {"x": 1}}
    warning = capfd.readouterr().err
    assert warning.count("\n") == 1 and "file" in warning and "tmp/steplog/p/a" in warning


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"project": "a/b"}, r'project "a/b" has the forbidden character'),
        ({"project": ""}, r'project "" is empty'),
        ({"project": "x" * 129}, "129 bytes long, more than 128"),
        ({"project": ".."}, "is a folder's name"),
        ({"project": "a\nb"}, "forbidden character"),
        ({"id": "a:b"}, "forbidden character"),
        *(({"id": f"a{mark}b"}, f"forbidden character {mark!r}") for mark in ";,#?/"),
        ({"id": "a'b"}, "forbidden character"),
        *(({"project": f"a{mark}b"}, "forbidden character") for mark in "\\#?%:"),
        ({"id": " a"}, "white space"),
        ({"id": "a\n"}, "white space"),
        ({"id": "a "}, "white space"),
        ({"id": ""}, "is empty"),
        ({"entity": "a?b"}, "forbidden character"),
        ({"tags": [""]}, "1 to 64 characters"),
        ({"tags": ["x" * 65]}, "1 to 64 characters"),
        ({"tags": 5}, "tags is a int, not an iterable of str"),
        ({"tags": ["a", 5]}, "the tag 5 is a int, not a str"),
        *(
            ({name: 5}, f"{name} is a int, not a str")
            for name in ("name", "notes", "id", "project", "entity", "group", "job_type", "mode", "fork_from")
        ),
        ({"settings": {"sweep_id": 5}}, "sweep_id is a int, not a str"),
        ({"mode": "live"}, r'mode "live" is none of "online", "offline", "shared", "disabled"'),
        ({"config": 5}, "config is a int, not a dict"),
        ({"config": {5: 1}}, "the config key 5 is a int, not a str"),
        ({"settings": {"colour": 1}}, "unknown setting 'colour'"),
        ({"settings": {"base_url": "ftp://x"}}, "http://"),
        ({"settings": {"finish_timeout": -1}}, "finish_timeout"),
        ({"settings": {"finish_timeout": float("nan")}}, "finish_timeout"),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_leaves_nothing(
    arguments: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        steplog.init(**arguments)  # type: ignore[arg-type]
    assert isinstance(caught.value, steplog.Error)
    assert isinstance(caught.value, TypeError)
    assert caught.value.message == str(caught.value)
    assert steplog.run is None
    assert not (tmp_path / "steplog").exists()


@pytest.mark.parametrize("name", ["colour", "tensorboard", "monitor_gym", "magic", "anonymous", "force"])
def test_an_unknown_argument_is_a_type_error(name: str) -> None:
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        steplog.init(**{name: True})  # type: ignore[arg-type]


def test_what_is_wrong_is_refused_before_the_open_run_is_ended_for_it() -> None:
    run = steplog.init()
    with pytest.raises(steplog.InvalidDataError, match="name is a int, not a str"):
        steplog.init(name=5, reinit=True)  # type: ignore[arg-type]
    assert (steplog.run, run.finished) == (run, False)


@pytest.mark.parametrize(
    ("given", "mode", "offline", "disabled"),
    [
        ("online", "online", False, False),
        ("run", "online", False, False),
        ("shared", "shared", False, False),
        ("offline", "offline", True, False),
        ("dryrun", "offline", True, False),
        ("disabled", "disabled", False, True),
    ],
)
@pytest.mark.parametrize("by", ["argument", "STEPLOG_MODE", "WANDB_MODE"])
def test_a_mode_may_be_said_in_the_old_words_too(
    given: str, mode: str, offline: bool, disabled: bool, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by != "argument":
        monkeypatch.delenv("STEPLOG_MODE")
        monkeypatch.setenv(by, given)
    run = steplog.init(mode=given if by == "argument" else None, settings={"finish_timeout": 0})
    assert (run.mode, run.offline, run.disabled) == (mode, offline, disabled)


def test_the_longest_project_and_tag() -> None:
    run = steplog.init(project="p" * 128, tags=["t" * 64])
    assert (run.project, run.tags) == ("p" * 128, ("t" * 64,))


def test_one_tag_may_be_given_as_text_and_tags_are_set_from_any_iterable() -> None:
    run = steplog.init(tags="one tag")
    seen = [run.tags]
    for tags in (["b", "a", "b"], (tag for tag in "xy"), {"key": 1}, "cd", ()):
        run.tags = tags  # type: ignore[assignment]
        seen.append(run.tags)
    assert seen == [("one tag",), ("b", "a", "b"), ("x", "y"), ("key",), ("c", "d"), ()]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("tags", None, "tags is a NoneType, not an iterable of str"),
        ("tags", 5, "tags is a int, not an iterable of str"),
        ("tags", ["a", 5], "the tag 5 is a int, not a str"),
        ("tags", [""], 'tag "" is not 1 to 64 characters long'),
        ("name", None, "name is a NoneType, not a str"),
        ("notes", 5, "notes is a int, not a str"),
    ],
)
def test_a_setter_refuses_what_init_refuses_and_keeps_the_old_value(name: str, value: object, message: str) -> None:
    run = steplog.init(name="n", notes="m", tags=["t"])
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$") as caught:
        setattr(run, name, value)
    assert isinstance(caught.value, steplog.InvalidDataError)
    assert (run.name, run.notes, run.tags) == ("n", "m", ("t",))
    assert journals(run)[0].updates == []


def test_a_finished_run_can_be_read_and_not_be_renamed() -> None:
    run = steplog.init(project="p", entity="e", id="a", name="n", notes="m", tags=["t"], group="g", config={"lr": 1})
    run.log({"x": 1})
    folder, start = run.dir, run.start_time
    run.finish()
    assert (run.path, run.name, run.notes, run.tags, run.group) == ("e/p/a", "n", "m", ("t",), "g")
    assert (run.config.as_dict(), run.step, run.dir, run.start_time) == ({"lr": 1}, 1, folder, start)
    for name, value in (("name", "late"), ("notes", "late"), ("tags", ("late",))):
        with pytest.raises(steplog.UsageError, match=f"{name}: the run is finished"):
            setattr(run, name, value)
    assert (run.name, run.notes, run.tags) == ("n", "m", ("t",))


def test_variables_that_mean_nothing_here_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISABLED", "CONFIG", "CONFIG_PATHS", "NONSENSE"):
        monkeypatch.setenv(f"WANDB_{name}", "true")
    run = steplog.init()
    run.log({"x": 1})
    assert (run.mode, run.config.as_dict(), history(run)) == ("offline", {}, {0: {"x": 1}})


def test_the_environment_is_read_at_every_init(monkeypatch: pytest.MonkeyPatch) -> None:
    for project in ("first", "second"):
        monkeypatch.setenv("WANDB_PROJECT", project)
        assert steplog.init(reinit=True).project == project


def test_the_start_time_is_a_float_in_seconds() -> None:
    before = time.time()
    run = steplog.init()
    assert type(run.start_time) is float
    assert before - 0.001 <= run.start_time <= time.time() + 0.001


@pytest.mark.parametrize("name", ["näme / with: everything?", "x" * 200, "👩‍🔬"])
def test_a_name_may_be_any_text(name: str) -> None:
    assert steplog.init(name=name).name == name


@pytest.mark.parametrize("project", ["a b", "ä", "con", "a*b", "-"])
def test_a_project_may_be_what_a_file_system_minds(project: str) -> None:
    run = steplog.init(project=project)
    run.log({"x": 1})
    assert journals(run)[0].start["project"] == project
    assert history(run) == {0: {"x": 1}}


@pytest.mark.parametrize(
    "config",
    [
        {"lr": 0.1, "n": 2},
        OrderedDict(lr=0.1, n=2),
        MappingProxyType({"lr": 0.1, "n": 2}),
        argparse.Namespace(lr=0.1, n=2),
        SimpleNamespace(lr=0.1, n=2),
    ],
    ids=lambda config: type(config).__name__,
)
def test_config_may_be_any_mapping_or_an_object_with_attributes(config: object) -> None:
    assert steplog.init(config=config).config.as_dict() == {"lr": 0.1, "n": 2}


def test_init_with_an_open_run_answers_that_run() -> None:
    run = steplog.init(project="p", id="a")
    assert steplog.init(project="q", id="b") is run
    assert run.id == "a"


def test_a_run_can_be_begun_again_by_its_id() -> None:
    first = steplog.init(project="p", id="a")
    first.log({"x": 1})
    first.finish()
    second = steplog.init(project="p", id="a")
    second.log({"x": 2}, step=1, commit=True)
    assert run_folder(second) == run_folder(first)
    assert history(second) == {0: {"x": 1}, 1: {"x": 2}}


def test_name_notes_and_tags_can_be_changed_while_the_run_is_open() -> None:
    run = steplog.init()
    run.name, run.notes, run.tags = "n", "m", ("a", "b")
    assert (run.name, run.notes, run.tags) == ("n", "m", ("a", "b"))
    with pytest.raises(steplog.Error, match="1 to 64"):
        run.tags = ("a" * 65,)
    assert run.tags == ("a", "b")
    run.finish()
    assert journals(run)[0].updates == [{"name": "n"}, {"notes": "m"}, {"tags": ["a", "b"]}]
    with pytest.raises(steplog.UsageError, match="finished"):
        run.name = "late"
    assert run.name == "n"


@pytest.mark.parametrize(
    "name",
    [
        *("id", "path", "step", "dir", "group", "job_type", "project", "entity", "start_time", "starting_step"),
        *("resumed", "sweep_id", "mode", "offline", "disabled", "url", "project_url", "sweep_url", "sync_dir"),
        *("config", "config_static", "summary", "history", "settings", "log", "finish", "foo"),
    ],
)
def test_nothing_else_can_be_set(name: str) -> None:
    run = steplog.init()
    with pytest.raises(AttributeError):
        setattr(run, name, "x")


def test_copies_of_a_run_are_the_run() -> None:
    run = steplog.init()
    assert copy.copy(run) is run
    assert copy.deepcopy({"run": run})["run"] is run
    assert repr(run) == f"<steplog.Run local/uncategorized/{run.id}>"


@pytest.mark.parametrize("mode", ["offline", "online", "disabled"])
def test_a_silent_run_says_not_one_byte(mode: str, capfd: pytest.CaptureFixture[str]) -> None:
    run = steplog.init(mode=mode, settings={"finish_timeout": 0})
    run.log({"x": 1})
    run.finish()
    assert capfd.readouterr() == ("", "")


def test_a_run_says_where_it_is_and_how_to_look_at_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("STEPLOG_SILENT")
    run = steplog.init(project="p", id="a")
    run.log({"x": 1})
    run.finish()
    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        f"steplog: run a → {tmp_path}/steplog/p/a\n"
        f"steplog: run a ended after 1 row, kept in {tmp_path}/steplog/p/a\n"
        f"  look at it: steplog ui {tmp_path}\n"
    )


def test_credentials_of_login_name_the_server_the_key_and_the_entity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STEPLOG_BASE_URL")
    folder = tmp_path / "config/steplog"
    folder.mkdir(parents=True)
    url = "http://127.0.0.1:9"
    stored = {"servers": {url: {"api_key": "steplog-" + "0" * 40, "entity": "ann"}}, "default": url}
    (folder / "credentials.json").write_text(json.dumps(stored))
    run = steplog.init(project="p", id="a", mode="online", settings={"finish_timeout": 0})
    assert run.url == f"{url}/ann/p/runs/a"
