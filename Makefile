# make run    serve the chat page on http://127.0.0.1:7860
# make test   style, types and tests
# make lint   style and types only
# All of them work from nothing: they make .venv, with the versions in constraints.txt.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --prefer-binary --constraint constraints.txt

.PHONY: run test lint system constraints clean

run: $(VENV)/.installed
	$(BIN)/study-assistant serve

test: lint system
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

system:
	@.ci/system-packages

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer is on the PATH; install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "make: $(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }

# The stamps make a second run quick; they are older than what they depend on once that changes.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable ".[dev]"
	@touch $@ $(VENV)/.installed

# Writes constraints.txt anew, from an environment that holds what the project needs and nothing else.
constraints: | $(VENV)/bin/python
	rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet --disable-pip-version-check --prefer-binary ".[dev]"
	build/constraints/bin/python -m pip freeze --exclude study-assistant | sed 's/+[a-z0-9]*$$//' > constraints.txt
	rm -rf build/constraints

clean:
	rm -rf $(VENV) build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
