# Every target makes what it needs: a virtual environment in .venv, nothing else on the machine.

.DEFAULT_GOAL := help
.PHONY: help demo serve test lint interop clean

VENV := .venv
BIN := $(VENV)/bin
# spyne 2.14 does not import on Python 3.12 and later; wsguard itself does.
PYTHON ?= $(shell for p in python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$p && break; done)

help: ## Say what there is.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/ready: setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed here (spyne 2.14 does not import on 3.12): install it, or set PYTHON" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@

demo: $(VENV)/ready ## Serve the sample, send it good and bad messages, show every verdict and why.
	$(BIN)/python -m sample_service.demo

serve: $(VENV)/ready ## Serve the sample on http://127.0.0.1:8000/.
	$(BIN)/python -m sample_service

lint: $(VENV)/ready ## Check style and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## Check style and types, and run every test.
	$(BIN)/python -m pytest

interop: ## Run foreign WS-Security stacks against the guard.
	@echo "interop: nothing to run yet: foreign stacks come with signatures"

clean: ## Remove what make made.
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
