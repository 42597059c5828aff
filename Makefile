# make demo    set up, simulate a capture and a district's meters, look through both, open the reports (needs Python 3.11+ and make, nothing else)
# make test    set up, lint, check types, run all tests and doctests, report coverage
# make setup   give .venv/bin/headframe     make lint | docs | bench | golden | clean
#
# Each step leaves a stamp, so a second run does only what has changed. Paths are relative throughout:
# the checkout may have a space in its name.

SHELL := /bin/sh
.SUFFIXES:
.DEFAULT_GOAL := help
.PHONY: help setup demo test read-tests lint format docs bench golden clean

# Tests start the program hundreds of times, and each time it would be compiled anew.
unexport PYTHONDONTWRITEBYTECODE

# The first interpreter that is new enough; override with: make PYTHON=/path/to/python setup
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= 2
KERNELS := $(shell find src/headframe/kernels src/headframe/sources -name '*.py' 2>/dev/null)

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

.venv/.stamp-venv:
	sh tools/make-venv.sh "$(PYTHON)"
	@touch $@

.venv/.stamp-runtime: .venv/.stamp-venv pyproject.toml constraints.txt
	$(PIP) install -q -c constraints.txt -e .
	@touch $@

.venv/.stamp-dev: .venv/.stamp-runtime
	$(PIP) install -q -c constraints.txt -e '.[dev]'
	@touch $@

.venv/.stamp-kernels: .venv/.stamp-runtime $(KERNELS)
	$(BIN)/headframe compile
	@touch $@

# Without the right to install, the script says what is missing and its stamp is not set: it will say so again.
build/.stamp-system: tools/system-packages.sh
	@mkdir -p build
	@if sh tools/system-packages.sh; then touch $@; fi

setup: .venv/.stamp-dev .venv/.stamp-kernels

demo: .venv/.stamp-runtime .venv/.stamp-kernels
	@mkdir -p build/demo
	$(BIN)/headframe simulate capture build/demo
	$(BIN)/headframe scan build/demo/office.pcap --indicators build/demo/office.indicators.csv \
		--clock build/demo/office.blocks.csv --report build/demo/report.html
	$(BIN)/headframe simulate meters build/demo/district
	$(BIN)/headframe meters build/demo/district/readings.parquet --zone Europe/London \
		--topology build/demo/district/topology.csv --topology build/demo/district/transformers.csv \
		--weather build/demo/district/weather.csv --prices build/demo/district/prices.csv \
		--sites build/demo/district/sites.csv --report build/demo/meters.html
	@$(BIN)/python tools/open_report.py build/demo/report.html build/demo/meters.html

lint: .venv/.stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.stamp-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The tests are read once on one core while the types are checked on another; the workers then find them compiled.
# Files in the order of tests/conftest.py, which has the longest first: one of them, begun last, would run alone.
test: setup build/.stamp-system
	$(MAKE) -j2 lint read-tests
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term

read-tests: .venv/.stamp-dev
	@$(BIN)/python -m pytest --collect-only -qq -p no:cacheprovider >/dev/null || true  # the tests say what is wrong

docs: setup
	$(BIN)/python -m pytest -q src docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The site is at site/index.html"

bench: setup build/.stamp-system
	$(BIN)/python bench/captures.py
	$(BIN)/python bench/damage.py
	$(BIN)/python bench/timing.py
	$(BIN)/python bench/peer_sync.py
	$(BIN)/python bench/power.py
	$(BIN)/python bench/speed.py
	$(BIN)/python bench/peers.py
	$(BIN)/python bench/ledger.py
	$(BIN)/python bench/faults.py
	$(BIN)/python bench/verification.py
	$(BIN)/python -m bench.casework_scale

golden: setup
	$(BIN)/python -m pytest -q --golden tests
	git diff --stat

clean:
	rm -rf .venv build site dist .coverage htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
