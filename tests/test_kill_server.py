"""``kill -9`` of the server at random moments under load: what it acknowledged is there, once and in order."""

from __future__ import annotations

import random
import threading
from http.client import HTTPException
from pathlib import Path

from rig.processes import Script, Server, steplog
from rig.waiting import wait_until

KILLS = 24

TRAINING = """
import os, sys, time, steplog
step = 0
with steplog.init(project="load", id=sys.argv[1], settings={"finish_timeout": 120}) as run:
    while not os.path.exists("stop"):
        for _ in range(100):
            run.log({"loss": 1 / (step + 1), "text": f"row {step}", f"key {step % 7}": step})
            step += 1
        time.sleep(0.02)
print(step)
"""

RECORDING = """
import steplog
with steplog.init(project="load", id="recorded", mode="offline") as run:
    for step in range(60_000):
        run.log({"loss": 1 / (step + 1), "step": step})
"""


class Uploader(threading.Thread):
    """Sends a recorded journal piece by piece, and remembers what the server acknowledged."""

    def __init__(self, server: Server, stream: str, journal: bytes) -> None:
        super().__init__(daemon=True)
        self.server, self.stream, self.journal = server, stream, journal
        self.acknowledged = 0

    def run(self) -> None:
        while self.acknowledged < len(self.journal):
            at = self.acknowledged
            try:
                answer = self.server.api.ingest("local/load/recorded", self.stream, at, self.journal[at : at + 30_000])
            except (OSError, HTTPException):
                # The server is dead, perhaps in the middle of its answer; the next one will answer.
                threading.Event().wait(0.01)
                continue
            assert answer.status in (200, 409), answer
            durable = answer.json()["durable_offset"]
            assert durable >= at, f"{at} bytes were acknowledged, and now there are {durable}"
            self.acknowledged = durable


def test_every_acknowledged_row_is_there_once_and_in_order(home: Path, chance: random.Random) -> None:
    with Script(RECORDING, home=home, STEPLOG_SILENT="1") as script:
        assert script.end()[0] == 0, script.said()
    [folder] = (home / "steplog/load/recorded/journal").iterdir()
    journal = b"".join(segment.read_bytes() for segment in sorted(folder.glob("*.segment")))
    with Server(home) as server:
        names = ["first", "second"]
        scripts = [Script(TRAINING, name, home=home, STEPLOG_BASE_URL=server.url) for name in names]
        uploader = Uploader(server, folder.name, journal)
        uploader.start()
        try:
            for _ in range(KILLS):
                wait_a_moment(chance)
                server.kill()
                acknowledged = uploader.acknowledged
                server.start()
                known = server.api.get(f"/ingest/local/load/recorded/{folder.name}")
                assert known["durable_offset"] >= acknowledged
            (home / "stop").touch()
            counts = {}
            for name, script in zip(names, scripts, strict=True):
                code, out = script.end()
                assert code == 0, script.said()
                assert script.said().count("warning") <= 1 + KILLS
                counts[name] = int(out)
            uploader.join(120)
            assert uploader.acknowledged == len(journal)
        finally:
            for script in scripts:
                script.__exit__(None, None, None)
        for name, count in counts.items():
            assert server.api.history(f"local/load/{name}") == [
                {"_step": step, "loss": 1 / (step + 1), "text": f"row {step}", f"key {step % 7}": step}
                for step in range(count)
            ]
            assert server.api.row_count(f"local/load/{name}") == count
        assert server.api.history("local/load/recorded") == [
            {"_step": step, "loss": 1 / (step + 1), "step": step} for step in range(60_000)
        ]
        assert server.stop() == 0
    verified = steplog("verify", server.data, home=home)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def wait_a_moment(chance: random.Random) -> None:
    """Up to half a second, in which the server takes what comes."""
    threading.Event().wait(chance.random() / 2)


def test_a_killed_server_forgets_no_run_no_config_and_no_summary(home: Path) -> None:
    code = (
        "import steplog\nwith steplog.init(project='p', id='a', name='n', config={'lr': 0.1}, tags=['t']) as run:\n"
        "    run.log({'x': 1})\n    run.summary['best'] = 2\n"
    )
    with Server(home) as server:
        with Script(code, home=home, STEPLOG_BASE_URL=server.url) as script:
            assert script.end()[0] == 0, script.said()
        before = server.api.run("local/p/a")
        server.kill()
        server.start()
        after = wait_until(lambda: server.api.run("local/p/a"), "the run is there")
        for changing in ("updated_at",):
            before["run"].pop(changing), after["run"].pop(changing)
        for run in (before, after):
            for stream in run["streams"]:
                stream.pop("sealed_offset")
        assert after == before
        assert (after["config"], after["run"]["state"]) == ({"lr": 0.1}, "finished")
        assert {"x": 1, "best": 2}.items() <= after["summary"].items()
