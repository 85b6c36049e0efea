# One command per task; `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 4566
export PYTHONDONTWRITEBYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help local test test-engine check format bench load smoke resources docs update clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

# Packages are installed again only when their lock file changes.
$(VENV)/.local-installed: requirements-local.txt
	@sh scripts/install.sh requirements-local.txt
	@touch $@

$(VENV)/.dev-installed: requirements-dev.txt
	@sh scripts/install.sh requirements-dev.txt
	@touch $@ $(VENV)/.local-installed

local: $(VENV)/.local-installed ## Run the whole chat on this machine until Ctrl-C (PORT=4566)
	@exec $(BIN)/python -m local --port $(PORT)

test: $(VENV)/.dev-installed ## Run all tests, with real sockets and a real browser
	@sh scripts/browser.sh || echo "Tests that need a browser will fail." >&2
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(if $(AFTER_CHECK),--after-check)

test-engine: $(VENV)/.dev-installed ## Deploy with the Pulumi CLI to an emulator, from up to destroy
	@$(BIN)/python -m tests.engine

check: $(VENV)/.dev-installed ## Check format, lint, types and quick tests: run before each commit
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyrefly check
	@sh scripts/check_javascript.sh
	@$(BIN)/python -m pytest -q -n 2 tests/unit tests/stack -m "not slow"

format: $(VENV)/.dev-installed ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@if [ -d node_modules ]; then npx biome check --write frontend tests/browser/modules; fi

bench: $(VENV)/.dev-installed ## Run the benchmarks: tables and lines of JSON, about five minutes
	@$(BIN)/python -m benchmarks

load: $(VENV)/.dev-installed ## Simulate users on a stack (URL=wss://… USERS=20 RATE=5)
	@$(BIN)/python -m benchmarks.load --url "$(URL)" --users $(or $(USERS),20) --rate $(or $(RATE),5)

# OUTPUTS=- reads the outputs from standard input. SMOKE_USERNAME and SMOKE_PASSWORD: a test account, if people sign in.
smoke: $(VENV)/.dev-installed ## Check a deployed stack from outside (STACK=dev or OUTPUTS=file.json)
	@$(BIN)/python -m smoke $(if $(OUTPUTS),--outputs "$(OUTPUTS)",--stack "$(or $(STACK),dev)") $(if $(ENDPOINT_URL),--endpoint-url "$(ENDPOINT_URL)") \
		$(if $(RETENTION_DAYS),--retention-days $(RETENTION_DAYS))

resources: $(VENV)/.dev-installed ## List the ARNs of a stack in resources.md (STACK=dev or OUTPUTS=file.json)
	@$(BIN)/python -m smoke.resources $(if $(OUTPUTS),--outputs "$(OUTPUTS)",--stack "$(or $(STACK),dev)")

docs: $(VENV)/.dev-installed ## Regenerate the pictures, diagrams, tables, film and presentation in docs
	@sh scripts/browser.sh
	@$(BIN)/python -m docgen

update: $(VENV)/.dev-installed ## Upgrade the lock files of all dependencies
	@sh scripts/update.sh

clean: ## Delete installed packages and build results
	rm -rf $(VENV) .build node_modules .pytest_cache .ruff_cache .hypothesis
