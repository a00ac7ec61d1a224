# make run    a first shift: 20 units at the nut cell by its expert, with report and replay
# make test   the tests
# make lint   ruff, mypy (src, then tests), the layers (import-linter) and bandit
# make check  every station of ours against all rules of its contract (takt check), some minutes
# make docs   the documentation as a site, in site/; a warning is an error
# make clean  remove what the others made, but no shift
#
# All set itself up in .venv, and again when pyproject.toml or constraints.txt change. Needs Python 3.11 or newer.
# Pictures need OpenGL as well (on Debian: libegl1 libgl1-mesa-dri libgles2); all else works without.

SHELL := /bin/bash
BIN := .venv/bin
SHIFT := shifts/run-$(shell date +%Y%m%d-%H%M%S)
WORKERS := 2
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test lint check docs clean

run: .venv/ready
	$(BIN)/takt run nutcell --worker expert --units 20 --seed 0 --difficulty plant --clock fixed:0.08 --out $(SHIFT).takt
	@echo
	@$(BIN)/takt report $(SHIFT).takt
	@$(BIN)/takt replay $(SHIFT).takt --unit 7 --speed 8 --out $(SHIFT)-u7.mp4 || echo "no replay was made"

test: .venv/ready-dev
	$(BIN)/pytest -n $(WORKERS)

lint: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini --cache-dir .mypy_cache/tests
	$(BIN)/lint-imports --no-logo
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml src plugins

check: .venv/ready-dev
	$(BIN)/takt check gym
	$(BIN)/takt check flightdesk -o scenario=two-hubs -o flights=300 -o aircraft=30 -o bookings=2000 -o days=1
	$(BIN)/takt check inspection
	$(BIN)/takt check nutcell
	if command -v bwrap >/dev/null; then $(BIN)/takt check codedesk; else echo "no bubblewrap: codedesk is left out"; fi

docs: .venv/ready-docs
	$(BIN)/zensical build --clean --strict

clean:
	rm -rf .venv site .cache .pytest_cache .ruff_cache .mypy_cache .hypothesis dist
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready: .venv/bin/python pyproject.toml constraints.txt
	@echo "setting up takt in .venv ..."
	@$(PIP) --editable ".[nutcell,flightdesk]"
	@touch $@

.venv/ready-dev: .venv/bin/python pyproject.toml constraints.txt
	@echo "setting up takt and its development tools in .venv ..."
	@$(PIP) --editable ".[dev]"
	@touch $@ .venv/ready

# zensical reads mkdocs.yml and is what the makers of mkdocs-material keep up from 2027 on.
.venv/ready-docs: .venv/bin/python pyproject.toml constraints.txt
	@echo "setting up takt and what makes its documentation in .venv ..."
	@$(PIP) --editable ".[docs]"
	@touch $@

# The first Python that is new enough. Debian's own comes without venv until python3-venv is installed.
.venv/bin/python:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "takt needs Python 3.11 or newer, and there is none here" >&2; exit 1; fi; \
	if ! $$found -c 'import venv, ensurepip' 2>/dev/null; then \
	  echo "$$found has no venv; on Debian: apt-get install python3-venv" >&2; exit 1; fi; \
	$$found -m venv .venv || { rm -rf .venv; exit 1; }
