# `make up` runs the product, `make demo` shows it on a simulated year, `make test` passes the
# tests; all set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps

.PHONY: up demo test lint soak bench install install-test lock clean

up: install
	@$(BIN)/duban up

demo: install
	@$(BIN)/duban demo

install: $(VENV)/installed

# The locks are complete, so nothing is resolved here; --no-deps also keeps pip from refusing
# SQLAlchemy, which some packages ask for with an extra and some without.
$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Duban needs Python 3.11 or newer; set PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing (a minute or two, once) …"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --editable .
	@touch $@

install-test: $(VENV)/installed-test

$(VENV)/installed-test: requirements-test.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing with test tools (a minute or two, once) …"
	@$(PIP) --require-hashes -r requirements-test.lock
	@$(PIP) --no-build-isolation --editable .
	@touch $@ $(VENV)/installed

lint: install-test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright --level error
	@$(BIN)/lint-imports --no-cache > $(VENV)/imports.txt || { cat $(VENV)/imports.txt; exit 1; }

# The tests start many processes: none should compile what another has compiled.
test: export PYTHONDONTWRITEBYTECODE =
test: lint
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "not soak"

soak: install-test
	@$(BIN)/python -m pytest -q -m soak --timeout 3600

bench: install-test
	@$(BIN)/python -m tests.bench

# Needs uv; writes no download address into the locks.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --extra link --extra test pyproject.toml -o requirements-test.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --extra link -c requirements-test.lock pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV)
