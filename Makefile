# The two commands of the README are `make audit` and `make test`. Each creates what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: audit test test-slow validate bench check clean

audit: $(VENV)/.installed
	$(BIN)/doxa audit --out runs/audit-atlas

test: $(VENV)/.installed check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

test-slow: $(VENV)/.installed
	$(BIN)/python -m pytest -m slow

validate: $(VENV)/.installed
	$(BIN)/doxa validate --grid --out runs/validation.html
	$(BIN)/doxa validate --coverage --out runs/coverage.html

# Peers are installed into environments of their own, below ~/.cache/doxa/bench. Measures well on an idle machine only.
bench: $(VENV)/.installed
	$(BIN)/python benchmarks/all.py --out runs/benchmarks

check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# torch first and alone, by the pinned version, so that a CPU build is taken where the index offers one.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
