"""Files of a run are listed, downloaded and removed through ``steplog.Api``."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import socket
from pathlib import Path

import pytest

import steplog
from rig.api import Api
from rig.processes import Script, Server
from rig.proxy import Fault, Proxy, hang_up
from rig.waiting import wait_until

#: Every kind of character that a URL or a path could trip over.
ODD = "plots/ü #1?&%2e+;=日.bin"

SAVES = f"""
import os, random, steplog
run = steplog.init(project="digits", id="r1")
os.makedirs("plots/deep")
open({ODD!r}, "wb").write(random.Random(1).randbytes(3_000_001))
open("plots/deep/loss.csv", "w").write("step,loss")
open("plots.txt", "w").write("first")
open("empty", "w").close()
for name in ("plots", "plots.txt", "empty"):
    run.save(name)
print("saved", flush=True)
input()
open("plots.txt", "w").write("second")
print("changed", flush=True)
input()
run.finish()
"""

CONTENT = {
    "empty": b"",
    "plots.txt": b"first",
    "plots/deep/loss.csv": b"step,loss",
    ODD: random.Random(1).randbytes(3_000_001),
}


@pytest.fixture(autouse=True)
def clean_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("STEPLOG_", "WANDB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))


def written(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, half ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def paths(api: Api) -> list[str]:
    """The files that are listed, once the run is there."""
    answer = api.call("GET", "/api/v1/runs/local/digits/r1/files")
    return [file["path"] for file in answer.json()["files"]] if answer.status == 200 else []


def test_files_of_a_live_run(home: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"STEPLOG_SILENT": "1", "STEPLOG_SAVE_REQUIREMENTS": "false", "STEPLOG_BASE_URL": server.url}
    with Script(SAVES, home=home, **own) as script:
        assert script.line() == "saved\n", script.said()
        wait_until(lambda: len(paths(server.api)) == 4, "all files are there")
        run = steplog.Api(base_url=server.url).run("digits/r1")
        assert run.state == "running"

        # What there is, in pages of every size.
        files = run.files()
        assert [file.name for file in files] == list(CONTENT)
        assert (len(files), bool(files), files[-1].name, files[1:3]) == (4, True, ODD, [files[1], files[2]])
        for per_page in (1, 2, 3, 4):
            assert [file.name for file in run.files(per_page=per_page)] == list(CONTENT)
        for file in files:
            content = CONTENT[file.name]
            assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
            assert run.created_at <= file.updated_at and file.updated_at.endswith("Z")
        assert [file.mimetype for file in files][1:] == ["text/plain", "text/csv", "application/octet-stream"]
        assert repr(files[1]) == "<steplog.api.File plots.txt (5 bytes)>"

        # Some of it.
        assert [file.name for file in run.files([ODD, "empty", "none", "plots"])] == ["empty", ODD]
        assert [file.name for file in run.files("plots.txt", per_page=1)] == ["plots.txt"]
        assert [file.name for file in run.files(prefix="plots/")] == ["plots/deep/loss.csv", ODD]
        assert [file.name for file in run.files(["empty", ODD], prefix="plots/", per_page=1)] == [ODD]
        assert (len(run.files("none")), bool(run.files("none"))) == (0, False)
        for missing in ("none", "plots", "plots.tx", "plots.txt2"):
            with pytest.raises(steplog.NotFoundError, match=f"run local/digits/r1 has no file {missing}$"):
                run.file(missing)

        # Bit for bit, into a folder that is not there yet, or into the working directory.
        target = tmp_path / "down/loads"
        assert [Path(file.download(target)) for file in files] == [target / name for name in CONTENT]
        assert written(target) == CONTENT
        monkeypatch.chdir(target)
        (target / "plots.txt").unlink()
        assert Path(run.file("plots.txt").download()) == Path("plots.txt")
        assert written(target) == CONTENT

        # What stands there stays, unless it is said to go.
        mine = target / "plots.txt"
        mine.write_text("mine")
        with pytest.raises(ValueError, match=r"plots\.txt is there already: say that it is to be replaced or kept"):
            files[1].download(target)
        assert files[1].download(target, exist_ok=True) == str(mine)
        assert mine.read_text() == "mine"
        assert files[1].download(target, replace=True, exist_ok=True) == str(mine)
        assert written(target) == CONTENT
        (tmp_path / "taken/plots.txt").mkdir(parents=True)
        with pytest.raises(IsADirectoryError, match=r"taken/plots\.txt is a folder"):
            files[1].download(tmp_path / "taken", replace=True)

        # A link in the folder does not lead the download elsewhere.
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (tmp_path / "links").mkdir()
        (tmp_path / "links/plots").symlink_to(elsewhere)
        with pytest.raises(steplog.InvalidDataError, match="links/plots leads out of the folder"):
            files[2].download(tmp_path / "links", replace=True)
        assert list(elsewhere.iterdir()) == []

        # The file of the moment, with the hash of the moment.
        script.tell("")
        assert script.line() == "changed\n", script.said()
        wait_until(lambda: run.file("plots.txt").size == 6, "the changed file is there")
        assert (files[1].size, Path(files[1].download(target, replace=True)).read_bytes()) == (5, b"second")
        script.tell("")
        assert script.end()[0] == 0, script.said()

    files[3].delete()
    assert [file.name for file in run.files()] == ["empty", "plots.txt", "plots/deep/loss.csv"]
    for gone in (files[3].delete, lambda: files[3].download(tmp_path / "gone")):
        with pytest.raises(steplog.NotFoundError, match="has no file plots/"):
            gone()
    assert written(tmp_path / "gone") == {}
    run.delete()
    for call in (lambda: len(run.files()), lambda: run.file("empty"), lambda: files[0].download(tmp_path / "gone")):
        with pytest.raises(steplog.NotFoundError, match="there is no run local/digits/r1"):
            call()


def test_files_of_a_folder(home: Path, tmp_path: Path) -> None:
    script = 'import steplog\nwith steplog.init(project="digits", id="r1", mode="offline") as run:\n'
    script += '    open(run.dir + "/notes.md", "w").write("# notes")\n'
    with Script(script, home=home, STEPLOG_SAVE_REQUIREMENTS="false") as process:
        assert process.end()[0] == 0, process.said()
    with Server(home, home, "--no-open", command="ui") as server:
        wait_until(lambda: server.api.run("local/digits/r1"), "the folder is read")
        run = steplog.Api(base_url=server.url).run("digits/r1")
        (file,) = run.files()
        assert repr(run.file("notes.md")) == repr(file)
        assert (file.name, file.size, file.sha256, file.mimetype) == ("notes.md", 7, None, "text/markdown")
        assert Path(file.download(tmp_path / "x")).read_text() == "# notes"


class CuttingProxy(Proxy):
    """Cuts the first three connections that carry 3 MB of answers."""

    cuts = 0

    def _back(self, server: socket.socket, client: socket.socket, fault: Fault) -> None:
        passed = 0
        # Either side may be gone at any time.
        with contextlib.suppress(OSError):
            while data := server.recv(65_536):
                passed += len(data)
                if passed > 3_000_000 and self.cuts < 3:
                    self.cuts += 1
                    break
                client.sendall(data)
        hang_up(client)
        hang_up(server)


def test_a_download_goes_on_after_the_network_is_cut(
    home: Path, server: Server, tmp_path: Path, chance: random.Random
) -> None:
    whole = random.Random(2).randbytes(20_000_000)
    (home / "big.bin").write_bytes(whole)
    script = 'import steplog\nwith steplog.init(project="digits", id="r1") as run:\n    run.save("big.bin")\n'
    with Script(script, home=home, STEPLOG_BASE_URL=server.url) as process:
        assert process.end()[0] == 0, process.said()
    with CuttingProxy(lambda: server.port, lambda: Fault.NONE, chance) as proxy:
        file = steplog.Api(base_url=proxy.url).run("digits/r1").file("big.bin")
        target = Path(file.download(tmp_path / "x"))
    assert proxy.cuts == 3
    assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(whole).digest()
