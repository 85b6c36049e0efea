# One command for each thing a person does. `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 4566
export PYTHONDONTWRITEBYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help local test test-engine check format bench load smoke resources docs update clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

# Each set of packages is installed once for each content of its lock file.
$(VENV)/.local-installed: requirements-local.txt
	@sh scripts/install.sh requirements-local.txt
	@touch $@

$(VENV)/.dev-installed: requirements-dev.txt
	@sh scripts/install.sh requirements-dev.txt
	@touch $@ $(VENV)/.local-installed

local: $(VENV)/.local-installed ## Run everything on this machine (PORT=4566), until Ctrl-C
	@exec $(BIN)/python -m local --port $(PORT)

test: $(VENV)/.dev-installed ## Run every test, real sockets and a real browser included
	@sh scripts/browser.sh || echo "The tests that need a browser will fail." >&2
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-engine: $(VENV)/.dev-installed ## Deploy by the Pulumi CLI into an emulator, from up to destroy; 2 if there is no CLI
	@$(BIN)/python -m tests.engine

check: $(VENV)/.dev-installed ## Format, lint, types, quick tests: what must pass before a commit
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyrefly check
	@sh scripts/check_javascript.sh
	@$(BIN)/python -m pytest -q -n 2 tests/unit tests/stack -m "not slow"

format: $(VENV)/.dev-installed ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@if [ -d node_modules ]; then npx biome check --write frontend tests/browser/modules; fi

bench: $(VENV)/.dev-installed ## Run the benchmarks: a table, and one line of JSON each
	@$(BIN)/python -m benchmarks

load: $(VENV)/.dev-installed ## Simulate users: make load URL=wss://… USERS=50 RATE=5
	@$(BIN)/python -m benchmarks.load --url "$(URL)" --users $(or $(USERS),20) --rate $(or $(RATE),5)

smoke: $(VENV)/.dev-installed ## Check a deployed stack from outside (STACK=dev, or OUTPUTS=file.json, - for standard input)
	@$(BIN)/python -m smoke $(if $(OUTPUTS),--outputs "$(OUTPUTS)",--stack "$(or $(STACK),dev)") $(if $(ENDPOINT_URL),--endpoint-url "$(ENDPOINT_URL)") \
		$(if $(RETENTION_DAYS),--retention-days $(RETENTION_DAYS))

resources: $(VENV)/.dev-installed ## Write resources.md, every resource's ARN (STACK=dev, or OUTPUTS=file.json, - for standard input)
	@$(BIN)/python -m smoke.resources $(if $(OUTPUTS),--outputs "$(OUTPUTS)",--stack "$(or $(STACK),dev)")

docs: $(VENV)/.dev-installed ## Make the pictures, the diagram, the demonstration and the presentation anew
	@sh scripts/browser.sh
	@$(BIN)/python -m docs

update: $(VENV)/.dev-installed ## Renew the locks of all dependencies
	@sh scripts/update.sh

clean: ## Delete what was installed and built
	rm -rf $(VENV) .build node_modules .pytest_cache .ruff_cache .hypothesis
