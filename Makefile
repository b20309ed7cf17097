# The two commands of a fresh machine. Python 3.11 or newer: make demo PYTHON=python3.12
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PLUGINS = $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
# A process more than there are cores (tests/conftest.py), each with one thread: the threads of two
# processes would wait for each other.
# The hundreds of processes of the tests share compiled modules, so Python may write them.
PYTEST = OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-all lint docs wheels clean

demo: $(VENV)/.train
	$(BIN)/ganzoo quickstart

# All tests except slow ones; every change must pass them.
test: $(VENV)/.test
	$(PYTEST) -m "not slow" --hypothesis-profile quick

# All tests: nightly, and before a release.
test-all: $(VENV)/.test
	$(PYTEST)

# Static checks.
lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

wheels: | $(VENV)/bin/python
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist . $(PLUGINS:%=./%)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.train: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[train]'
	touch $@

$(VENV)/.test: pyproject.toml $(PLUGINS:%=%/pyproject.toml) | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[test]' $(PLUGINS:%=--editable %)
	touch $@

$(VENV)/.docs: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) build dist
