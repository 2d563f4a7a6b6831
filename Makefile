# Everything starts from a bare Python: the first target that needs it makes .venv and installs into it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The suite starts the command hundreds of times: each start would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-long test-all test-oldest coverage lint types fuzz bench package clean
.DEFAULT_GOAL := help

help:
	@echo "make demo         upload sample_manifests/ to a local sandbox PIM and show the result"
	@echo "make test         the test suite (minutes)"
	@echo "make test-long    end to end, what make test leaves out for its time; CI runs both"
	@echo "make test-all     all of it, with faults and kills for minutes, real proxies, other clients"
	@echo "make test-oldest  the test suite with the oldest libraries allowed"
	@echo "make coverage     test and test-long, and the lines that they reach: 95 % at least"
	@echo "make lint         ruff: lint and format"
	@echo "make types        mypy --strict, for Linux, Windows and macOS"
	@echo "make fuzz         fuzz every reader"
	@echo "make bench        measure against peers and limits"
	@echo "make soak         an hour of uploads among faults, kills and outages"
	@echo "make package      build wheel and sdist, check them, and try the wheel in an empty environment"
	@echo "make clean        remove $(VENV) and what builds leave behind"

$(VENV)/.demo: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[sandbox,report]'
	@touch $@

$(VENV)/.dev: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	@$(BIN)/akeneo-media demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 4 --dist worksteal -m "not long and not slow"

test-long: $(VENV)/.dev
	$(BIN)/python -m pytest -n 4 --dist worksteal -m "long and not slow" tests/e2e tests/jobs

coverage: $(VENV)/.dev
	$(BIN)/python -m pytest -n 4 --dist worksteal -m "not slow" --cov --cov-report=term --cov-fail-under=95

test-all: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --hypothesis-profile=long

test-oldest:
	$(PYTHON) -m venv --clear $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(VENV)-oldest/bin/uv pip install --quiet --python $(VENV)-oldest/bin/python --resolution lowest-direct -e '.[dev]'
	$(VENV)-oldest/bin/python -m pytest -n 4 --dist worksteal -m "not slow"

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin

fuzz: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 -m fuzz --hypothesis-profile=long

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/run.py

soak: $(VENV)/.dev
	$(BIN)/python benchmarks/soak.py

package:
	rm -rf build dist
	$(PYTHON) -m venv build/tools
	build/tools/bin/python -m pip install --quiet --disable-pip-version-check build twine
	build/tools/bin/pyproject-build
	build/tools/bin/twine check --strict dist/*
	$(PYTHON) -m venv build/bare
	build/bare/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	build/bare/bin/akeneo-media --version

clean:
	rm -rf $(VENV) $(VENV)-oldest build dist .coverage .coverage.* htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
