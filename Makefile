# make run    open the window (creates .venv and installs what is needed)
# make test   run every test that needs neither torch nor transformers
# make parity run the tests beside transformers, mlx-lm and mlx-vlm
# make tours  run the long ones: kills, full disks, thousands of messages
# make again  run what failed last, alone
# make bundle the app in one folder, used from there; on a Mac Cabochon.app, signed ad hoc, and its disk image
# make audit  the Mac's own wheels, downloaded and looked over on any machine
# make check  formatting, lint, types, import rules
# make all    everything that a change must pass

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# one more than there are cores, up to six: window tests wait for other processes half of their time
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 5 ? n + 1 : 6)))

# a person's signing identity, and MLX's build: macosx_26_0_arm64 for the M5's kernels
IDENTITY ?= -
METAL ?= macosx_14_0_arm64

# the tests start hundreds of processes: what they import is compiled once
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test parity tours again check bundle audit all clean

run: $(VENV)/.run
	$(BIN)/cabochon

test: $(VENV)/.test
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not tour" --ignore=tests/parity

parity: $(VENV)/.parity
	$(BIN)/python -m pytest tests/parity

tours: $(VENV)/.test
	$(BIN)/python -m pytest -m tour --ignore=tests/parity

again: $(VENV)/.test
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --last-failed --last-failed-no-failures none --ignore=tests/parity

all: check test parity tours

check: $(VENV)/.check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bundle: $(VENV)/.bundle
	sh packaging/metal-wheel.sh $(BIN)/python $(METAL)
	$(BIN)/pyinstaller packaging/Cabochon.spec --noconfirm --log-level WARN
ifeq ($(shell uname -s),Darwin)
	PYTHON=$(BIN)/python sh packaging/sign.sh dist/Cabochon.app "$(IDENTITY)"
	PYTHONPATH=packaging $(BIN)/python -m bundling.audit dist/Cabochon.app
	$(BIN)/python packaging/check_bundle.py dist/Cabochon.app
	sh packaging/image.sh dist/Cabochon.app dist/Cabochon.dmg "$(filter-out -,$(IDENTITY))"
else
	$(BIN)/python packaging/check_bundle.py dist/Cabochon
endif

audit: $(VENV)/.bundle
	PYTHONPATH=packaging $(BIN)/python -m bundling.mac_wheels build/mac
	PYTHONPATH=packaging $(BIN)/python -m bundling.audit --wheels build/mac/site-packages

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

$(VENV)/.bundle: $(VENV)/.run
	$(INSTALL) --editable '.[bundle]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
