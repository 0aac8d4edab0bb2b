# The whole list: setup, demo, test, check, bench, soak. Each does its own set-up first; nothing else is needed.
PYTHON := .venv/bin/python

.PHONY: setup demo test check bench soak

setup:
	@.ci/setup

demo: setup
	.venv/bin/lienthong demo

test: check
	@.ci/setup tests
	$(PYTHON) -m pytest

check: setup
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

bench: setup
	$(PYTHON) -m benchmarks

soak: setup
	@.ci/setup tests
	LIENTHONG_SOAK=1 $(PYTHON) -m pytest
