# SPDX-License-Identifier: Apache-2.0
# Every target works on a bare machine with Python 3.11 or later, make, and internet:
# the first call creates .venv and installs the pinned dependencies, later calls start at once.

VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

# The first interpreter that really starts and is new enough; `make PYTHON=/path/python3.13 setup`
# chooses another. 3.11 comes first because the pins are tested there.
CANDIDATES := python3.11 python3.12 python3.13 python3.14 python3
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

PYTEST := $(RUN) -m pytest
QUICK := "not slow and not gpu and not ray"
COORDINATE := $(RUN) -m cluster coordinate --map generate --robots 20 40 80 --instances 4 \
	--coordinators fcfs insertion dive milp local_search gnn_vae gnn_vae+ls --deadline-s 3 \
	--workers 2 --seed 0
FEDERATE := $(RUN) -m cluster federate --task vqc-digits --clients 10 --rounds 50 --workers 2 --seed 0

.DEFAULT_GOAL := help
.PHONY: help setup demo flower-run test test-coordination test-worlds test-on-ray \
	test-without-ray check test-slow bench clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-11s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED)  ## create .venv with the pinned dependencies and this project (once)

# The project itself comes last and as editable: site-packages gets only its metadata, by which
# PennyLane finds our device, and a pointer to this folder. It is built by the pinned setuptools
# just installed, so nothing else is downloaded and no build folder is left here. Setuptools warns
# that this folder may come first, which is the point.
$(INSTALLED): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or later found; install one or set PYTHON=" >&2; exit 2; }
	@test -x $(RUN) || { echo "creating $(VENV) with $(PYTHON)"; \
		$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 2; }; }
	@$(RUN) -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
		print(*p["dependencies"], *p["optional-dependencies"]["dev"], sep="\n")' > $(VENV)/requirements.txt
	@echo "installing the pinned dependencies (some minutes the first time)"
	@$(RUN) -m pip install --quiet --disable-pip-version-check \
		--requirement $(VENV)/requirements.txt --constraint constraints.txt
	@PYTHONWARNINGS=ignore $(RUN) -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## two to three minutes; ends with the path of a report
	@out=$$(date +%Y-%m-%d-%H%M%S-demo); $(COORDINATE) --out $$out && \
		$(FEDERATE) --out $$out/federation && $(RUN) -m cluster report $$out

flower-run: setup  ## `flwr run .`, offline; CONFIG="rounds=5 clients=10" changes its run config
	@$(RUN) -m cluster.flower_run $(CONFIG)

# Two of these at a time, begun in this order. The kernels of sim come first, each half compiled by
# one process and read from the cache by all others: begun side by side, up to five processes would
# compile the same ones. Those that need Ray share one, and wait for processes most of the time: the
# others run meanwhile. By default Ray is so nice (15) that its workers would get no turn beside them.
test: setup  ## the tests of every change, under 10 minutes on 2 cores
	@$(MAKE) --no-print-directory --jobs 2 --keep-going \
		test-coordination test-worlds test-on-ray test-without-ray

test-coordination: setup
	$(PYTEST) -m $(QUICK) tests/sim --ignore tests/sim/warehouse --ignore tests/sim/environments

test-worlds: setup
	$(PYTEST) -m $(QUICK) tests/sim/warehouse tests/sim/environments

test-on-ray: setup
	RAY_worker_niceness=0 $(PYTEST) -m "ray and not slow and not gpu"

test-without-ray: setup
	$(PYTEST) -n 2 --dist loadfile -m $(QUICK) --ignore tests/sim

test-slow: setup  ## the tests that take minutes
	$(PYTEST) -m "slow and not gpu"

check: setup  ## format, lint, types, layers
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	PYTHONPATH=. $(VENV)/bin/lint-imports

bench: setup  ## measure the numbers of docs/benchmarks.md on this machine
	$(RUN) -m benchmarks

clean:  ## remove .venv and caches; runs stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
