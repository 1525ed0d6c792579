PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.installed

.PHONY: demo test check sandbox crash bench constraints clean help

help: ## Show what each command does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(SETUP): pyproject.toml host/pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=python3.x")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e './host[web,parquet,postgres,zstd]' -e '.[sandbox,dev]'
	@touch $@

demo: $(SETUP) ## Set everything up and run the main job against the embedded sandbox
	@$(BIN)/connector-host --folder host/tests/fixtures/plain demo

test: $(SETUP) ## Set everything up and run all tests, with branch coverage
	@$(BIN)/python -m pytest --cov --cov-report=term -n auto

check: $(SETUP) ## The gates: ruff, mypy, import-linter, deptry
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry . && cd host && ../$(BIN)/deptry .

sandbox: $(SETUP) ## Run the local stand-in for Linnworks until Ctrl-C
	@$(BIN)/connector-host sandbox linnworks --port 8900

crash: $(SETUP) ## Kill pulls hundreds of times over a live, failing sandbox
	@CRASH_KILLS=400 $(BIN)/python -m pytest tests/crash

bench: $(SETUP) ## Print the benchmarks as ratios
	@$(BIN)/python -m benchmarks

constraints: ## Pin the newest versions that satisfy the projects' requirements
	@rm -rf .venv-constraints && $(PYTHON) -m venv .venv-constraints
	@.venv-constraints/bin/pip install --quiet --disable-pip-version-check -e './host[web,parquet,postgres,zstd]' -e '.[sandbox,dev]'
	@(echo "# Exact versions every command of this project installs with. Regenerate: make constraints"; .venv-constraints/bin/pip freeze --exclude-editable) > constraints.txt
	@rm -rf .venv-constraints

clean: ## Remove what the commands above made
	@rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage* demo-data
