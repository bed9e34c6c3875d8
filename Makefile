.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# Test files at once. Most tests wait for processes of their own, so that two cores take four.
JOBS ?= 4
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help run test check lint types contracts format lock clean bench chaos

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# One virtual environment; a stamp for each lock file says what is in it.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: deploy/locks/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing the locked dependencies (once; about half a minute) …"
	$(PIP) install --require-hashes -r deploy/locks/run.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: deploy/locks/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing the locked development dependencies (once; about half a minute) …"
	$(PIP) install --require-hashes -r deploy/locks/dev.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/run.stamp

$(VENV)/bench.stamp: deploy/locks/bench.txt | $(VENV)/run.stamp
	@echo "Installing what is measured against, and plots (once) …"
	$(PIP) install --require-hashes -r deploy/locks/bench.txt
	@touch $@

run: $(VENV)/run.stamp ## Start the whole system on this machine and send one sample SMS through it
	@exec $(BIN)/smsgate up

test: check ## Set up and pass the checks and the tests

check: lint types contracts tests ## What CI runs: lint, types, import contracts, tests

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

contracts: $(VENV)/dev.stamp
	$(BIN)/lint-imports

.PHONY: tests
tests: $(VENV)/dev.stamp
	$(BIN)/pytest -n $(JOBS) -m "not crowd" --dist loadfile --no-loadscope-reorder --reruns 1

format: $(VENV)/dev.stamp ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/dev.stamp ## Resolve the dependencies anew into deploy/locks
	$(BIN)/uv pip compile -q --generate-hashes --upgrade --python-version 3.11 --custom-compile-command 'make lock' --extra dev pyproject.toml -o deploy/locks/dev.txt
	$(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --custom-compile-command 'make lock' --extra gateway --extra sandbox --extra tencent -c deploy/locks/dev.txt pyproject.toml deploy/locks/build.in -o deploy/locks/run.txt
	$(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --custom-compile-command 'make lock' --extra bench -c deploy/locks/dev.txt pyproject.toml -o deploy/locks/bench.txt
	for peer in arq celery_batches dramatiq huey raw_list rq taskiq; do $(BIN)/uv pip compile -q --generate-hashes --upgrade --python-version 3.11 --custom-compile-command 'make lock' bench/peers/locks/$$peer.in -o bench/peers/locks/$$peer.txt || exit 1; done

clean: ## Remove what was installed and what the development system stored
	rm -rf $(VENV) .smsgate

bench: $(VENV)/bench.stamp ## Measure everything beside what people would use instead; BENCH="accept --quick" for a part of it
	$(BIN)/python -m bench $(BENCH)

chaos: $(VENV)/dev.stamp ## Prove the promise: kill, break and delay everything, and count what was lost or sent twice
	$(BIN)/pytest -m crowd --reruns 1
	$(BIN)/python -m tests.chaos $(CHAOS)
