# Every target that needs Python packages makes .venv first and puts them there; nothing else on the machine changes.
# It is Python 3.11 and no newer one: spyne 2.14, which the sample and many tests stand on, does not import on 3.12.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo serve test lint interop timing hostile bench bench-check fuzz soak load endurance mutants reliability clean

PYTHON ?=
HOST ?= 127.0.0.1
PORT ?= 8080
DATA ?= build/sample-service
ROUNDS ?= 200
SECONDS ?= 600
TARGET ?=
TIMES ?= 10
SUBJECT ?=

VENV := .venv
SHARED := --numprocesses 3 --dist loadfile --no-loadscope-reorder
MEASURED := tests/test_floods.py tests/test_memory.py
IN_VENV := $(VENV)/bin/python -m
READY := $(VENV)/.ready

help: ## show this
	@echo 'make TARGET [PYTHON=/path/to/python3.11]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## start the guarded sample, send it good and bad messages, show what came of each
	@$(IN_VENV) sample_service.demo

serve: $(READY) ## serve the guarded sample until interrupted [HOST=, PORT=, DATA=]
	@$(IN_VENV) sample_service --host $(HOST) --port $(PORT) --data $(DATA)

# What costs are measured by has the machine for itself; everything else runs three files at a time. Stores that are
# killed and paused take minutes: make reliability.
test: lint ## lint, then run every test but those of make reliability
	@$(IN_VENV) pytest $(SHARED) --ignore-glob '*/test_cost.py' $(MEASURED:%=--ignore %) --ignore tests/reliability && \
	    $(IN_VENV) pytest $(shell find tests -name test_cost.py) $(MEASURED) && \
	    echo 'not run: tests/reliability, which is make reliability' && \
	    echo 'test: passed' || { echo 'test: FAILED'; exit 1; }

lint: $(READY) ## check style, format and types
	@$(IN_VENV) ruff check .
	@$(IN_VENV) ruff format --check .
	@$(IN_VENV) mypy

interop: $(READY) ## exchange messages with other WS-Security stacks [INTEROP_REQUIRED=1: none may be missing]
	@$(IN_VENV) pytest tests/interop && echo 'interop: passed' || { echo 'interop: FAILED'; exit 1; }

timing: $(READY) ## measure what the time of a refusal tells of its cause [WRITE=docs/timing.md]
	@$(IN_VENV) bench.decryption_timing $(if $(WRITE),--write $(WRITE))

hostile: $(READY) ## measure what hostile messages cost, in time and memory [WRITE=docs/limits.md]
	@$(IN_VENV) bench.hostile_cost $(if $(WRITE),--write $(WRITE))

bench: $(READY) ## measure what the guard costs, and show it beside others [ROUNDS=200] [WRITE=bench/README.md]
	@$(IN_VENV) pip install --quiet --disable-pip-version-check --use-pep517 --editable '.[bench]'
	@$(IN_VENV) bench.speed --rounds $(ROUNDS) $(if $(WRITE),--write $(WRITE))

bench-check: $(READY) ## count what the guard costs, and fail where it became dearer [WRITE=bench/instructions.toml]
	@$(IN_VENV) bench.regression $(if $(WRITE),--write $(WRITE))

fuzz: $(READY) ## fuzz every target, time-sliced over the cores; corpora stay in build/fuzz [SECONDS=600] [TARGET=]
	@$(IN_VENV) pip install --quiet --disable-pip-version-check --use-pep517 --editable '.[fuzz]'
	@$(IN_VENV) fuzz --seconds $(SECONDS) $(if $(TARGET),--target $(TARGET))

soak: $(READY) ## a million attempts at the same nonces on each replay store [ATTEMPTS=]
	@$(IN_VENV) bench.soak $(if $(ATTEMPTS),--attempts $(ATTEMPTS))

endurance: $(READY) ## send one process 100,000 messages of each kind, and see what it keeps [MESSAGES=] [WRITE=docs/load.md]
	@$(IN_VENV) bench.endurance $(if $(MESSAGES),--messages $(MESSAGES)) $(if $(WRITE),--write $(WRITE))

mutants: $(READY) ## change what checks, one small thing at a time, and see that a test notices [SUBJECT=timestamp] [WRITE=docs/mutants.md]
	@$(IN_VENV) pip install --quiet --disable-pip-version-check --use-pep517 --editable '.[mutants]'
	@$(IN_VENV) mutation $(if $(SUBJECT),--subject $(SUBJECT)) $(if $(WRITE),--write $(WRITE))

load: $(READY) ## measure what a guarded service serves under load [REQUESTS=2000] [LONG=100000] [WRITE=docs/load.md]
	@$(IN_VENV) pip install --quiet --disable-pip-version-check --use-pep517 --editable '.[load]'
	@$(IN_VENV) bench.load $(if $(REQUESTS),--requests $(REQUESTS)) $(if $(LONG),--long $(LONG)) $(if $(WRITE),--write $(WRITE))
	@$(IN_VENV) bench.load_audit $(if $(WRITE),--write $(WRITE))

reliability: $(READY) ## hurt every store in every way while messages come, many times over [TIMES=10]
	@RELIABILITY_SCALE=$(TIMES) $(IN_VENV) pytest tests/reliability && \
	    echo 'reliability: passed' || { echo 'reliability: FAILED'; exit 1; }

clean: ## remove everything that the other targets made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment whose Python is the right one is kept, any other is made anew.
$(READY): setup.cfg pyproject.toml
	@tried=; \
	for python in $(VENV)/bin/python $(PYTHON) python3.11 python3; do \
	    version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
	    [ "$$version" = 3.11 ] && break; \
	    tried="$$tried $$python is $$version."; version=; \
	done; \
	if [ "$${version:-}" != 3.11 ]; then \
	    echo "Python 3.11 is needed: spyne 2.14 does not import on a newer one.$${tried:- No Python was found.}" >&2; \
	    echo 'Install it, or say where it is: make PYTHON=/path/to/python3.11' >&2; \
	    exit 1; \
	fi; \
	if [ "$$python" != $(VENV)/bin/python ]; then \
	    echo "Making $(VENV) with $$python"; \
	    "$$python" -m venv --clear $(VENV); \
	fi
	@$(IN_VENV) pip install --quiet --disable-pip-version-check --use-pep517 --editable '.[demo,test,lint]'
	@touch $@
