# Each target makes its own environment: .venv, made anew or brought up to date when pyproject.toml
# is newer than it. Nothing else reaches the network, but for `check-system`.
#
#   make PYTHON=python3.12 test      another interpreter, where .venv does not exist yet
#   make test ARGS="-k guard -x"     options for pytest

VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
ARGS ?=
DURATION ?= 60

# The first interpreter that is new enough; asked for only when .venv is made.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

.PHONY: help demo test torture check check-system lint types coverage bench soak format
.NOTPARALLEL:
.DEFAULT_GOAL := help

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: $(INSTALLED) ## the whole thing on example data, with a calendar server of its own (ONCE=1: show it and end)
	$(PY) -m calsync demo $(if $(ONCE),--once)

test: $(INSTALLED) ## the tests, measured for coverage
	$(PY) -m coverage erase
	$(PY) -m coverage run -m pytest --numprocesses=auto --dist=worksteal $(ARGS)

torture: $(INSTALLED) ## a person, two computers and a calendar, at random for DURATION=60 seconds; prints what was survived
	DURATION=$(DURATION) $(PY) -m tests.torture

check: lint types test coverage ## all that a change must pass: style, floors, types, tests, coverage

check-system: $(INSTALLED) ## what needs root or apt: units, the wheel in a fresh environment, the man page, other people's calendar programs
	tests/system/run

bench: $(INSTALLED) ## how calsync compares with its peers on this machine, as ratios, into docs/performance.md (ARGS=daemon-edit: one row)
	$(PY) -m benchmarks $(ARGS)

soak: $(INSTALLED) ## the daemon for half an hour among edits, restarts and kills (DURATION= seconds, SEED=)
	$(PY) -m benchmarks.soak

format: $(INSTALLED) ## write the code as the formatter would
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

lint: $(INSTALLED) ## style, and who may import whom
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/lint-imports --no-cache

types: $(INSTALLED) ## mypy --strict
	$(PY) -m mypy

coverage: ## the floors of coverage, from the last `make test`
	$(PY) -m coverage combine --quiet
	$(PY) -m coverage report
	$(PY) -m coverage report --include='calsync/etiquette/*,calsync/plan.py' --fail-under=100

# pip comes first, as that of Python 3.11 takes twice as long to find what fits.
$(INSTALLED): pyproject.toml
	@test -n "$(PYTHON)" || { echo "calsync needs Python 3.11 or newer; say where: make PYTHON=/path/to/python"; exit 1; }
	$(PY) -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --no-compile --upgrade pip
	$(PY) -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[dev]'
	touch $@
