"""Much of everything: it is all taken in, and the pages stay usable."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest
from playwright.sync_api import Page, expect

from rig.browser import Chromium
from rig.processes import Script, Server, steplog
from rig.waiting import wait_until

#: Until then a page must show what it is about, also on a busy machine; how soon it does is measured in `bench/`.
PAGE_SECONDS = 30

FOUR_PROCESSES = """
import sys, steplog
with steplog.init(project="volume", id=f"rank{sys.argv[1]}", settings={"finish_timeout": 300}) as run:
    log = run.log
    for step in range(500_000):
        log({"loss": 1 / (step + 1), "step": step})
"""

MANY_KEYS = """
import steplog
with steplog.init(project="keys", id="wide", settings={"finish_timeout": 300}) as run:
    for step in range(20):
        run.log({f"layer{index // 100}/weight{index % 100}": index + step / 20 for index in range(20_000)})
"""

LONG_RUN = """
import steplog
with steplog.init(project="long", id="long", settings={"finish_timeout": 600}) as run:
    log = run.log
    for step in range(10_000_000):
        log({"loss": 777.5 if step == 6_543_210 else 0.5})
"""

MANY_RUNS = """
import steplog
for index in range(2_000):
    with steplog.init(project="many", id=f"r{index}", name=f"run {index}", config={"lr": index / 1000}) as run:
        for step in range(20):
            run.log({"loss": index / (step + 1)})
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("volume")


@pytest.fixture(scope="module")
def heavy(place: Path) -> Iterator[Server]:
    """One server that gets all of it, one story after another."""
    with Server(place) as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as chromium:
        yield chromium


def test_two_million_rows_from_four_processes_into_four_runs(place: Path, heavy: Server, chromium: Chromium) -> None:
    began = time.monotonic()
    settings = {"STEPLOG_BASE_URL": heavy.url, "STEPLOG_QUIET": "1"}
    with contextlib.ExitStack() as stack:
        scripts = [stack.enter_context(Script(FOUR_PROCESSES, str(rank), home=place, **settings)) for rank in range(4)]
        for script in scripts:
            assert script.end() == (0, ""), script.said()
            assert script.said() == ""
    print(f"2,000,000 rows in {time.monotonic() - began:.1f} s")
    for rank in range(4):
        run = f"local/volume/rank{rank}"
        assert heavy.api.row_count(run) == 500_000
        buckets = heavy.api.series(run, "step", buckets=100)
        assert sum(row["count"] for row in buckets) == 500_000
        assert (buckets[0]["min"], buckets[-1]["max"], buckets[-1]["last"]) == (0, 499_999, 499_999)
    table = pyarrow.parquet.read_table(io.BytesIO(heavy.api.export("local/volume/rank3", "parquet")))
    assert table["_step"].to_pylist() == table["step"].to_pylist() == list(range(500_000))
    assert table["loss"].to_pylist() == [1 / (step + 1) for step in range(500_000)]
    with chromium.tab(heavy.url) as tab:
        opened(tab.open("/local/volume"), "loss")


def test_a_run_of_twenty_thousand_keys(place: Path, heavy: Server, chromium: Chromium) -> None:
    with Script(MANY_KEYS, home=place, STEPLOG_BASE_URL=heavy.url, STEPLOG_QUIET="1") as script:
        assert script.end() == (0, ""), script.said()
    keys = heavy.api.post("/keys/query", {"project": "local/keys", "runs": None})["keys"]
    keys = [key for key in keys if not key["key"].startswith("_system/")]
    assert len(keys) == 20_000
    assert {key["point_count"] for key in keys} == {20}
    last = heavy.api.history("local/keys/wide", "layer0/weight0", "layer199/weight99")[-1]
    assert last == {"_step": 19, "layer0/weight0": 0.95, "layer199/weight99": 19_999.95}
    with chromium.tab(heavy.url) as tab:
        page = tab.open("/local/keys")
        opened(page, "layer0/weight0")
        page.get_by_label("Search charts").fill("layer150/weight42")
        opened(page, "layer150/weight42")
        page.goto("/local/keys/runs/wide")
        expect(page.get_by_role("region", name="Summary")).to_be_visible(timeout=PAGE_SECONDS * 1000)


def test_ten_million_points_of_one_key(place: Path, heavy: Server, chromium: Chromium) -> None:
    began = time.monotonic()
    with Script(LONG_RUN, home=place, STEPLOG_BASE_URL=heavy.url, STEPLOG_QUIET="1") as script:
        assert script.end(350) == (0, ""), script.said()
    print(f"10,000,000 points in {time.monotonic() - began:.1f} s")
    buckets = heavy.api.series("local/long/long", "loss", buckets=1000)
    assert sum(row["count"] for row in buckets) == 10_000_000
    assert [row["max"] for row in buckets if row["max"] != 0.5] == [777.5]
    zoomed = heavy.api.series("local/long/long", "loss", buckets=1000, range=[6_543_000, 6_543_400])
    assert [(row["x"], row["last"]) for row in zoomed if row["max"] != 0.5] == [(6_543_210, 777.5)]
    with chromium.tab(heavy.url) as tab:
        opened(tab.open("/local/long"), "loss")

        def shows_spike() -> bool:
            return any("777.5" in tab.tooltip_at("loss", 0.6543 + offset / 1000) for offset in range(-4, 5))

        wait_until(shows_spike, "a tooltip near the spike shows it")


def test_a_project_of_two_thousand_runs(place: Path, heavy: Server, chromium: Chromium) -> None:
    with Script(MANY_RUNS, home=place, STEPLOG_MODE="offline", STEPLOG_SILENT="1") as script:
        assert script.end(200) == (0, ""), script.said()
    began = time.monotonic()
    synced = steplog("sync", "steplog/many", "--server", heavy.url, home=place)
    assert synced.returncode == 0, synced.stderr
    print(f"2,000 runs sent in {time.monotonic() - began:.1f} s")
    best = heavy.api.runs("local/many", sort=[{"field": "config.lr", "descending": True}], columns=["summary.loss"])
    assert len(best) == 2_000
    assert (best[0]["id"], best[0]["values"]["summary.loss"]) == ("r1999", 1999 / 20)
    with chromium.tab(heavy.url) as tab:
        page = tab.open("/local/many")
        opened(page, "loss")
        box = page.get_by_label("Search runs").first
        box.fill("run 1234")
        expect(page.get_by_role("list", name="Runs").get_by_text("run 1234", exact=True)).to_be_visible()


def opened(page: Page, key: str) -> None:
    """Waits until a metric's chart can be seen, no longer than a person would."""
    chart = page.get_by_role("article", name=key, exact=True).locator("canvas").first
    expect(chart).to_be_visible(timeout=PAGE_SECONDS * 1000)
