"""Fixtures of the stories. Each story has a home folder of its own, and ends every process that it began."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.processes import Server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A newcomer's home folder."""
    return tmp_path


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    """A running server with an empty store."""
    with Server(home) as server:
        yield server


@pytest.fixture
def chance() -> random.Random:
    """A source of random choices; its seed is printed when a story fails, and STORY_SEED sets it."""
    seed = int(os.environ.get("STORY_SEED") or random.SystemRandom().randrange(2**32))
    print(f"STORY_SEED={seed}")
    return random.Random(seed)
