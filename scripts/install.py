"""Installs the Python package into the environment that runs this.

The profile is `release`, which the rest of the workspace is built with; a plain `pip install .` takes `dist`, slower to
build. The interpreter's own environment is used to build, so that the compiler's cache stays good.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

options = ["--no-build-isolation", "--no-deps", "--force-reinstall", "-C", "build-args=--profile=release"]
command = [sys.executable, "-m", "pip", "install", "-v", *options, str(ROOT)]
log: list[str] = []
with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as build:
    assert build.stdout is not None
    for line in build.stdout:
        log.append(line)
        # pip shows all or nothing of a build; what the compiler does is worth showing.
        if line.split(maxsplit=1)[:1] in (["Compiling"], ["Finished"], ["Successfully"]):
            print(line, end="", flush=True)
if build.returncode != 0:
    print("".join(log[-60:]), file=sys.stderr)
sys.exit(build.returncode)
