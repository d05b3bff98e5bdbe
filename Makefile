# make run    open the window (creates .venv and installs what is needed)
# make test   run every test that needs neither torch nor transformers
# make parity run the tests beside transformers, mlx-lm and mlx-vlm
# make tours  run the long ones: kills, full disks, thousands of messages
# make check  formatting, lint, types, import rules
# make all    everything that a change must pass

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test parity tours check all clean

run: $(VENV)/.run
	$(BIN)/cabochon

test: $(VENV)/.test
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal -m "not tour" --ignore=tests/parity

parity: $(VENV)/.parity
	$(BIN)/python -m pytest tests/parity

tours: $(VENV)/.test
	$(BIN)/python -m pytest -m tour --ignore=tests/parity

all: check test parity tours

check: $(VENV)/.check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Cabochon needs Python 3.11 or later; set PYTHON=... to choose one." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "Install the venv module first (on Debian: apt-get install python3-venv)." >&2; exit 1; }

$(VENV)/.run: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable .
	sh packaging/linux-libraries.sh $(BIN)/python
	@touch $@

$(VENV)/.test: $(VENV)/.run
	$(INSTALL) --editable '.[test]'
	@touch $@

$(VENV)/.parity: $(VENV)/.test
	$(INSTALL) --editable '.[parity]'
	@touch $@

$(VENV)/.check: $(VENV)/.run
	$(INSTALL) --editable '.[check]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
