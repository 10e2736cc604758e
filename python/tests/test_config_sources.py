"""Where the config comes from: dicts, objects, flags and files, and which of them wins."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import UserDict
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from absl import flags

import steplog
from conftest import journals


@dataclass
class Settings:
    lr: float = 0.1
    n: int = 2


class Namespace:
    lr = 0.1
    n = 2


def absl_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    flags.DEFINE_float("lr", 0.5, "learning rate", flag_values=values)
    flags.DEFINE_integer("n", 2, "count", flag_values=values)
    values(["program", "--lr=0.1"])
    return values


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float)
    parser.add_argument("--n", type=int, default=2)
    return parser.parse_args(["--lr", "0.1"])


def write(text: str, name: str = "config.yaml") -> Path:
    path = Path(name).absolute()
    path.write_text(text)
    return path


SOURCES: list[tuple[str, Any]] = [
    ("dict", lambda: {"lr": 0.1, "n": 2}),
    ("mapping", lambda: UserDict(lr=0.1, n=2)),
    ("argparse", arguments),
    ("object with attributes", lambda: SimpleNamespace(lr=0.1, n=2)),
    ("dataclass", Settings),
    ("class", lambda: Namespace),
    ("flags of absl", absl_flags),
    ("yaml file", lambda: write("lr:\n  desc: rate\n  value: 0.1\nn:\n  value: 2\nwandb_version: 1\n")),
    ("yaml file by name", lambda: str(write("lr: 0.1\nn: 2\n"))),
]


@pytest.mark.parametrize("source", [case[1] for case in SOURCES], ids=[case[0] for case in SOURCES])
def test_a_config_may_be_given_as(source: Any) -> None:
    expected = {"lr": 0.1, "n": 2}
    run = steplog.init(config=source())
    assert run.config.as_dict() == expected
    assert journals(run)[0].config == [("lr", 0.1), ("n", 2)]
    run.finish()
    later = steplog.init(config={"n": 2})
    later.config.update(source())
    later.config.setdefaults(source())
    assert later.config.as_dict() == {"n": 2, "lr": 0.1}


def test_the_flags_of_a_program_with_absl() -> None:
    code = (
        "import steplog; from absl import app, flags\n"
        "flags.DEFINE_float('lr', 0.5, 'rate')\n"
        "def main(_):\n"
        "    for config in (flags.FLAGS, flags):\n"
        "        run = steplog.init(config=config); print(run.config['lr']); run.finish()\n"
        "app.run(main)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, "--lr", "0.1"], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("0.1\n0.1\n", "")


@pytest.mark.parametrize("config", [5, 0.5, True, ["lr", 0.1], ("lr",), b"lr"], ids=repr)
def test_what_is_no_mapping_is_refused(config: Any) -> None:
    with pytest.raises(TypeError, match=f"the config is a {type(config).__name__}, not a dict"):
        steplog.init(config=config)
    run = steplog.init(config={"lr": 0.1})
    for call in (run.config.update, run.config.setdefaults):
        with pytest.raises(steplog.InvalidDataError, match="not a dict"):
            call(config)
    assert run.config.as_dict() == {"lr": 0.1}


def test_the_config_of_another_run() -> None:
    first = steplog.init(config={"lr": 0.1, "_hidden": 1})
    first.finish()
    assert steplog.init(config=first.config).config.as_dict() == {"lr": 0.1, "_hidden": 1}


def test_the_defaults_file_is_the_weakest_source() -> None:
    write(
        "lr: {desc: rate, value: 9}\nbatch: {value: 32}\nmodel: {value: {depth: 3, width: 5}}\n", "config-defaults.yaml"
    )
    run = steplog.init(config={"lr": 0.1, "model": {"depth": 4}, "new": 1})
    expected = {"lr": 0.1, "batch": 32, "model": {"depth": 4}, "new": 1}
    assert (run.config.as_dict(), dict(journals(run)[0].config)) == (expected, expected)
    assert len(journals(run)[0].config) == 4
    with pytest.raises(steplog.ConfigError, match=r'"batch" already has the value 32, and the new one is 64'):
        run.config.batch = 64
    run.finish()
    assert steplog.init().config.as_dict() == {"lr": 9, "batch": 32, "model": {"depth": 3, "width": 5}}


FILES: list[tuple[str, str | None, str]] = [
    ("missing", None, "there is no such file"),
    ("other version", "wandb_version: 2\nlr: {value: 1}", "wandb_version is 2; only 1 is known"),
    ("no YAML", "lr: [1, 2", "invalid YAML"),
    ("no map", "- lr", "its top level is not a map"),
]


@pytest.mark.parametrize(("text", "message"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_a_file_that_is_no_config_is_an_error_that_names_it(text: str | None, message: str) -> None:
    path = Path("config.yaml").absolute() if text is None else write(text)
    with pytest.raises(steplog.ConfigError) as caught:
        steplog.init(config=str(path))
    assert isinstance(caught.value, steplog.Error)
    assert str(path) in caught.value.message and message in caught.value.message
    assert steplog.run is None


def test_a_broken_defaults_file_is_an_error_too_and_an_empty_one_is_none() -> None:
    write("wandb_version: 7", "config-defaults.yaml")
    with pytest.raises(steplog.ConfigError, match=r"config-defaults\.yaml: wandb_version is 7"):
        steplog.init()
    write("# nothing yet\n", "config-defaults.yaml")
    assert steplog.init().config.as_dict() == {}


def test_keys_are_chosen_or_left_out() -> None:
    given = {"a": 1, "b": 2, "c": 3}
    write("d: 4\n", "config-defaults.yaml")
    assert steplog.init(config=given, config_include_keys=["a", "z"]).config.as_dict() == {"d": 4, "a": 1}
    steplog.finish()
    assert steplog.init(config=given, config_exclude_keys=("a", "z")).config.as_dict() == {"d": 4, "b": 2, "c": 3}
    steplog.finish()
    with pytest.raises(steplog.UsageError, match="cannot be given together"):
        steplog.init(config=given, config_include_keys=["a"], config_exclude_keys=["b"])
    assert steplog.run is None
