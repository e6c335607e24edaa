# The whole interface of this repository. Needs Python 3.11 or newer, make and a package index; uses uv where it is on PATH.
PYTHON ?= python3
ARGS ?=

# Modules are compiled once and kept, as where Springline is installed: the tests start some hundred processes.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
UV := $(shell command -v uv 2>/dev/null)

# The extra that serves both vendor systems is part of what a plain `pip` deployment gets, so that `springline demo` works there;
# PostgreSQL and the lake are for whoever asks for them.
UV_EXPORT := $(BIN)/uv export --no-config --offline --frozen --quiet --no-header --no-annotate --no-emit-project
EXPORT := $(UV_EXPORT) --all-extras --no-extra lake
EXPORT_RUN := $(EXPORT) --no-extra postgres --no-default-groups
EXPORT_DEV := $(EXPORT) --all-groups
EXPORT_LAKE := $(UV_EXPORT) --extra lake --no-default-groups

# Programs that a target needs; where they are missing, the Debian packages that have them, where they may be installed.
DEBIAN = for program in $(1); do command -v "$$program" > /dev/null || missing=yes; done; \
	[ -z "$$missing" ] || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $(2) > /dev/null; } \
	|| { echo 'Install these first: $(2)'; exit 1; }
AXE := tests/browser/node_modules/axe-core/axe.min.js

# The lock is made for the public index, wherever packages are installed from.
LOCK := env -u UV_DEFAULT_INDEX -u UV_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS $(BIN)/uv lock --no-config

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test test-system test-browser test-office test-spark test-schedulers many-tenants test-lake check lint types layers sql deps locked pages sbom audit bench fuzz storm exhaustive mutate docs fix lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

install: $(INSTALLED) ## everything into .venv, at the locked and hashed versions

$(INSTALLED): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Springline needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
ifneq ($(UV),)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip sync --quiet --python $(VENV) --require-hashes requirements-dev.txt
	$(UV) pip install --quiet --python $(VENV) --no-deps --no-build-isolation --editable .
else
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endif
	@touch $@

demo: $(INSTALLED) ## both systems on this machine, every job once, and what came of it
	$(BIN)/springline demo $(ARGS)

PARALLEL := --numprocesses 3 --dist loadfile --no-loadscope-reorder

test: $(INSTALLED) ## the tests for every change, on three processes; ARGS="-k voucher" for some
	$(BIN)/pytest $(PARALLEL) $(ARGS)

test-system: $(INSTALLED) ## the whole sample world over many runs: the demonstration, drift, an idle hour, kills
	$(BIN)/pytest -m system $(PARALLEL) $(ARGS)

test-browser: $(INSTALLED) $(AXE) ## the report in a real browser: accessibility, sizes, print; pictures in screenshots/
	@$(call DEBIAN,chromium chromedriver,chromium chromium-driver fonts-dejavu-core)
	$(BIN)/pytest -m browser tests/browser $(ARGS)

test-office: $(INSTALLED) ## the workbook opened and recomputed by LibreOffice, every total compared
	@$(call DEBIAN,soffice,libreoffice-calc)
	$(BIN)/pytest -m office tests/office $(ARGS)

test-spark: $(INSTALLED) ## the models' cases on a real Spark, row for row; most of an hour
	@$(call DEBIAN,java,default-jre-headless)
	$(BIN)/pytest -m spark tests/models/test_spark_engine.py $(ARGS)

test-schedulers: $(INSTALLED) ## tenants under Dagster, Spark and Airflow, workers killed, and what Kubernetes takes; a quarter of an hour
	@$(call DEBIAN,java,default-jre-headless)
	$(BIN)/pytest -m schedulers tests/tenants $(ARGS)

# The lake's packages are of one release of DuckDB, and everything else as it is locked for us.
LAKE := .venv-lake
LAKE_PIP := $(BIN)/uv pip install --quiet --no-config --python $(LAKE) --no-deps

$(LAKE)/.installed: $(INSTALLED) uv.lock
	$(PYTHON) -m venv --clear $(LAKE)
	$(LAKE_PIP) --require-hashes --requirement requirements-dev.txt
	$(EXPORT_LAKE) --output-file $(LAKE)/lake.txt
	$(LAKE_PIP) --require-hashes --requirement $(LAKE)/lake.txt
	$(LAKE_PIP) --no-build-isolation --editable .
	@touch $@

many-tenants: $(LAKE)/.installed ## 50 tenants with lakes under Dagster, a worker killed every minute, judged by all books; three quarters of an hour
	$(LAKE)/bin/python -m tests.tenants $(ARGS)

test-lake: $(LAKE)/.installed ## the warehouse in a DuckLake: every model's cases, the demonstration on three addresses, kills; most of an hour on a busy machine
	$(LAKE)/bin/pytest -m lake $(PARALLEL) $(ARGS)

$(AXE): tests/browser/package-lock.json
	@$(call DEBIAN,npm,npm)
	cd tests/browser && npm ci --no-progress
	@touch $@

check: lint types layers sql deps locked pages sbom audit ## everything that can be known without running a batch

lint: $(INSTALLED)
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet

types: $(INSTALLED)
	$(BIN)/mypy --no-error-summary

layers: $(INSTALLED)
	$(BIN)/lint-imports --no-logo

sql: $(INSTALLED)
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar sql
	$(BIN)/python -m pipelines.models.lint

deps: $(INSTALLED)
	$(BIN)/deptry .

locked: $(INSTALLED)
	$(LOCK) --offline --check --quiet
	@$(EXPORT_RUN) | diff requirements.txt - || { echo 'requirements.txt is stale: run make lock'; exit 1; }
	@$(EXPORT_DEV) | diff requirements-dev.txt - || { echo 'requirements-dev.txt is stale: run make lock'; exit 1; }

pages: $(INSTALLED)
	$(BIN)/python -m pipelines.reference --check

sbom: $(INSTALLED) ## the bills of materials (CycloneDX) of what is deployed, with a lake and without, from the lock, in dist/
	$(BIN)/python -m tests.supply sbom

audit: $(INSTALLED) ## known vulnerabilities of every locked package; says NOT AUDITED without a network, AUDIT=required fails then
	$(BIN)/python -m tests.supply audit

# A file has up to 500 tests of different length: they are shared out one by one, on a process a core.
fuzz: $(INSTALLED) ## 50 worlds of any data, 2,500 commands in spoiled states, 1,000 deliveries with any answers, 100 days of edits; FUZZ=200 takes an hour
	FUZZ=$${FUZZ:-50} $(BIN)/pytest --numprocesses 2 --dist worksteal tests/property/test_any_data.py tests/property/test_any_state.py tests/property/test_any_answer.py tests/property/test_parts.py

storm: $(INSTALLED) ## 20 random worlds with faults, kills and people at work, judged by the books of both systems; SEEDS=1000 for more
	$(BIN)/python -m tests.storm --seeds $${SEEDS:-20} $(ARGS)

exhaustive: $(INSTALLED) ## each flow killed at every kind of durable step, each call disturbed in every way; ARGS="--every" for all cases
	$(BIN)/python -m tests.storm.exhaustive both $(ARGS)

mutate: $(INSTALLED) ## the product spoiled in one place at a time, and a test must fail each time; ARGS="--only rate" for some
	$(BIN)/python -m tests.mutations $(ARGS)

bench: $(INSTALLED) ## speed and memory beside floors and peers measured in the same run; ARGS="payments --full" for one, at full size
	$(BIN)/python -m tests.bench $(ARGS)

docs: $(INSTALLED) ## writes the generated pages of docs/reference
	$(BIN)/python -m pipelines.reference

fix: $(INSTALLED) ## lets the linters correct what they can
	$(BIN)/ruff check --fix --exit-zero --quiet
	$(BIN)/ruff format --quiet
	$(BIN)/sqlfluff format --processes 2 --disable-progress-bar sql

lock: $(INSTALLED) ## uv.lock and the requirements files anew, after a change of pyproject.toml
	$(LOCK)
	$(EXPORT_RUN) --output-file requirements.txt
	$(EXPORT_DEV) --output-file requirements-dev.txt

clean: ## removes the installation and the caches
	rm -rf $(VENV) $(LAKE) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
