# make bench needs nothing but Python 3.10 or newer, a C compiler and make: it sets up .venv itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DOORS := .doors
ON_ALL_CPUS := --numprocesses auto --maxprocesses 8 --dist loadscope --no-loadscope-reorder
PEERS_PYTHON ?= .peers/bin/python
# Else each of the hundreds of processes that the tests start would compile all modules.
export PYTHONDONTWRITEBYTECODE :=
BUILT_FROM := pyproject.toml setup.py $(wildcard fastconv/_*/*.pyx fastconv/_*/*.pxd fastconv/_kernels/csrc/*)

# An environment does not move: that of a clone which was copied or moved still names the place where it was made, whose
# fastconv it would measure. So it is made anew.
PLACES := $(wildcard $(VENV)/.place $(DOORS)/.place)
MOVED := $(sort $(shell for place in $(PLACES); do test "$$(cat $$place)" = "$$(pwd -P)" || echo moved; done))

.PHONY: help bench bench-full bench-peak race busy test test-doors lint clean moved
.DELETE_ON_ERROR:

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## */\1|/p' Makefile | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

bench: $(VENV)/.bench  ## measure the quick profile on this machine (about 4 minutes) and make the report
	@$(BIN)/python -m benchmarks

bench-full: $(VENV)/.bench  ## the whole suite on the last commit, or COMMITS=a..b, and asv's page of the history
	@$(BIN)/python -m benchmarks --full $(COMMITS)

bench-peak: $(VENV)/.bench  ## how near single convolutions come to the machine's limits
	@$(BIN)/python -m benchmarks.peak

race: $(VENV)/.bench $(PEERS_PYTHON)  ## convolutions, blocks, networks against other engines: RACE="--rows blocks --threads 1"
	@PEERS_PYTHON="$(PEERS_PYTHON)" $(BIN)/python -m benchmarks.race $(RACE)

busy: $(VENV)/.bench $(PEERS_PYTHON)  ## a call beside busy processes, other engines' too (about 7 minutes): BUSY="--rows Fire"
	@PEERS_PYTHON="$(PEERS_PYTHON)" $(BIN)/python -m benchmarks.busy $(BUSY)

test: $(VENV)/.test  ## the tests, on all CPUs
	$(BIN)/python -m pytest $(ON_ALL_CPUS)

test-doors: $(DOORS)/.doors  ## those of what needs other libraries, such as fastconv.onnx, in an environment of their own
	$(DOORS)/bin/python -m pytest $(ON_ALL_CPUS) -o addopts=--doctest-modules tests/doors fastconv/dask fastconv/onnx \
		fastconv/torch

lint: $(VENV)/.dev  ## ruff, cython-lint, clang-format, the floors, mypy, stubtest: nothing is changed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint fastconv
	$(BIN)/clang-format --dry-run -Werror fastconv/_kernels/csrc/*.[ch]
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python tests/floors.py
	$(BIN)/python -m mypy
	$(BIN)/python -m mypy.stubtest --mypy-config-file pyproject.toml --ignore-disjoint-bases \
		--allowlist tests/stubtest_allowlist.txt $(subst /,.,$(basename $(wildcard fastconv/_*/*.pyi)))

clean:  ## remove the environment and everything built or measured
	rm -rf $(VENV) $(DOORS) .peers .asv build *.egg-info fastconv/_*/*.so .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# fastconv built in place; again when what it is built from changed. Python's warnings are off: setuptools warns at
# length that an editable installation is one.
$(VENV)/.built: $(BUILT_FROM) $(MOVED)
	@echo "Installing fastconv into $(VENV), which takes some minutes"
	@test -x $(BIN)/pip || "$(PYTHON)" -m venv $(VENV)
	@pwd -P >$(VENV)/.place
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --editable .
	@touch $@

# What the extra of this name needs: fastconv itself is there, and is not built again.
$(VENV)/.%: $(VENV)/.built
	@$(BIN)/python -m pip install --quiet 'fastconv[$*]'
	@touch $@

# For the doors, the libraries that each of them opens to, and beside these what .venv has, where fastconv is built.
SEES_VENV := import site; site.addsitedir('{}')
$(DOORS)/.doors: $(VENV)/.test
	@echo "Installing fastconv[doors] into $(DOORS), which takes some minutes"
	@test -x $(DOORS)/bin/pip || "$(PYTHON)" -m venv $(DOORS)
	@pwd -P >$(DOORS)/.place
	@$(DOORS)/bin/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -c "import sysconfig; print(\"$(SEES_VENV)\".format(sysconfig.get_path('purelib')))" \
		>"$$($(DOORS)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/venv.pth"
	@$(DOORS)/bin/python -m pip install --quiet 'fastconv[doors]'
	@touch $@

moved:
	@rm -rf $(VENV) $(DOORS)

# The other engines, in an environment of their own: nothing else needs them. Of the torch that is named pip takes the
# build for CPUs where it knows of one; else it brings gigabytes of CUDA along.
.peers/bin/python:
	@echo "Installing the other engines into .peers, which takes about 1 GB"
	@"$(PYTHON)" -m venv .peers
	@.peers/bin/python -m pip install --quiet --upgrade pip
	@.peers/bin/python -m pip install --quiet '.[peers]'
