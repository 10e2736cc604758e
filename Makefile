# The one entry to building, trying and testing steplog. `make` lists the targets; each does its own set-up.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

ROOT := $(CURDIR)
VENV := .venv
PYTHON := $(VENV)/bin/python
BINARY := target/release/steplog
SOAK_SECONDS ?= 1800
# The frameworks that steplog has integrations for, apart from everything else: several GB.
FRAMEWORKS := .venv-integrations
# A small build for the CPU, of the system's own interpreter.
PYTORCH := /usr/lib/python3/dist-packages/torch/__init__.py
SAY := @printf '\033[1;36m==> %s\033[0m\n'

# Everything is built with one profile, and PyO3 always sees one interpreter: dependencies are compiled once.
export PATH := $(ROOT)/$(VENV)/bin:$(PATH)
export PYO3_PYTHON := $(ROOT)/$(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export CARGO_TERM_COLOR ?= auto

WHEEL_SOURCES := pyproject.toml README.md Cargo.toml Cargo.lock \
	$(shell find python/steplog python/data -name '*.py' -o -name '*.pyi' -o -name '*.pth') \
	$(foreach crate,model journal protocol client python,crates/$(crate)/Cargo.toml \
	$(wildcard crates/$(crate)/src/*.rs crates/$(crate)/src/*/*.rs crates/$(crate)/src/*/*/*.rs))
UI_SOURCES := ui/package.json ui/vite.config.ts ui/tsconfig.json ui/index.html $(shell find ui/src ui/public -type f 2>/dev/null)

.PHONY: help demo test build install ui binary check rust-test python-test ui-test stories test-integrations \
	integrations frameworks bench bench-peers bench-watch soak clean

help: ## List the targets
	@printf 'steplog: make TARGET\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: binary $(VENV)/.steplog $(VENV)/.demo ## Train a small classifier and watch it in the browser
	@$(PYTHON) scripts/demo.py

test: $(VENV)/.tests ## Run every test; ends with one line `N passed, N failed`
	@$(PYTHON) scripts/test.py check rust-test ui-test binary install python-test stories

# --- parts of the test ---------------------------------------------------------------------------------------------

check: $(VENV)/.tests $(VENV)/.steplog ui/node_modules/.package-lock.json ## Formats, lints and types of Rust, Python and the UI
	@$(PYTHON) scripts/check.py

rust-test: ui ## Tests of the Rust crates
	$(SAY) 'Rust tests'
	@if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --release --no-fail-fast; else cargo test --release --no-fail-fast --tests --lib --bins; fi
	@cargo test --release --doc
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; export STEPLOG_DIR="$$folder" STEPLOG_MODE=offline STEPLOG_QUIET=1; \
		for example in quickstart resume resume threads; do cargo run -q --release -p steplog --example "$$example"; done

python-test: $(VENV)/.tests $(VENV)/.steplog ## Tests of the Python package
	$(SAY) 'Python tests'
	@$(PYTHON) -m pytest -q --timeout 120 python/tests

ui-test: ui/node_modules/.package-lock.json ## Unit tests of the UI
	$(SAY) 'UI tests'
	@cd ui && npm test

stories: binary $(VENV)/.tests $(VENV)/.steplog /usr/bin/chromium $(PYTORCH) ## Whole-system stories: real server, real processes, kill -9, real browser
	$(SAY) 'Stories'
	@$(PYTHON) -m pytest -q --timeout 400 --durations 10 --ignore tests/integration tests

test-integrations: ## Test the integrations with the newest frameworks (several GB, so not part of `make test`)
	@$(PYTHON) scripts/test.py integrations

integrations: binary $(FRAMEWORKS)/.steplog
	$(SAY) 'Integrations'
	@$(FRAMEWORKS)/bin/python -m pytest -q --timeout 900 --durations 10 tests/integration

bench: binary $(VENV)/.tests $(VENV)/.steplog ## Measure the hot paths
	@$(PYTHON) bench/run.py

bench-peers: binary $(VENV)/.tests $(VENV)/.steplog ## Measure the same work with other trackers
	@$(PYTHON) bench/peers.py

bench-watch: frameworks $(FRAMEWORKS)/.steplog ## Measure what watching a PyTorch model costs a batch
	@$(FRAMEWORKS)/bin/python bench/watch.py

soak: binary $(VENV)/.tests $(VENV)/.steplog ## Log for half an hour: flat memory, every row arrives (SOAK_SECONDS=300 for less)
	@$(PYTHON) bench/soak.py --seconds $(SOAK_SECONDS)

# --- what is built -------------------------------------------------------------------------------------------------

build: binary install ## Build the binary (with the UI inside) and the Python package

binary: ui
	$(SAY) 'the steplog binary'
	@cargo build --release

install: $(VENV)/.steplog ## Install the Python package into .venv

ui: ui/dist/index.html ## Build the UI

ui/dist/index.html: ui/node_modules/.package-lock.json $(UI_SOURCES)
	$(SAY) 'the UI'
	@cd ui && npm run build
	@touch $@

# npm writes this file last, and it is newer than the lock file as long as the folder fits it.
ui/node_modules/.package-lock.json: ui/package-lock.json
	$(SAY) 'packages of the UI'
	@cd ui && npm ci
	@touch $@

$(VENV)/.made:
	$(SAY) 'a Python environment in $(VENV)'
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo 'error: python3 is older than 3.10' >&2; exit 1; }
	@python3 -c 'import ensurepip' 2>/dev/null || scripts/apt-install python3-venv
	@env -u PYO3_PYTHON python3 -m venv $(VENV)
	@touch $@

$(VENV)/.builder: scripts/requirements.txt $(VENV)/.made
	@$(PYTHON) -m pip install -q -r $<
	@touch $@

$(VENV)/.demo: examples/requirements.txt $(VENV)/.made
	$(SAY) 'Python packages of the demo'
	@$(PYTHON) -m pip install -q -r $<
	@touch $@

$(VENV)/.tests: tests/requirements.txt examples/requirements.txt $(VENV)/.made
	$(SAY) 'Python packages of the tests'
	@$(PYTHON) -m pip install -q -r $<
	@touch $@

# Without build isolation the compiler's cache stays good: an isolated build has another interpreter path every time.
$(VENV)/.steplog: $(WHEEL_SOURCES) $(VENV)/.builder
	$(SAY) 'the Python package'
	@$(PYTHON) scripts/install.py
	@touch $@

# Nothing is pinned, and each time the newest is looked for: that is what users have.
frameworks: $(VENV)/.made
	$(SAY) 'The newest frameworks, in $(FRAMEWORKS)'
	@test -x $(FRAMEWORKS)/bin/python || env -u PYO3_PYTHON python3 -m venv $(FRAMEWORKS)
	@$(FRAMEWORKS)/bin/python -m pip install -q --no-cache-dir --upgrade -r tests/integration/requirements.txt

$(FRAMEWORKS)/.steplog: $(VENV)/.steplog | frameworks
	@rm -rf $(FRAMEWORKS)/wheels
	@$(PYTHON) -m pip wheel -q --no-build-isolation --no-deps -w $(FRAMEWORKS)/wheels -C build-args=--profile=release .
	@$(FRAMEWORKS)/bin/python -m pip install -q --no-index --no-deps --force-reinstall $(FRAMEWORKS)/wheels/*.whl
	@touch $@

/usr/bin/chromium:
	$(SAY) 'Chromium'
	@scripts/apt-install chromium

$(PYTORCH):
	$(SAY) 'PyTorch'
	@scripts/apt-install python3-torch

clean: ## Remove everything that was built
	cargo clean
	rm -rf $(VENV) $(FRAMEWORKS) .demo ui/node_modules ui/dist/assets ui/dist/index.html
