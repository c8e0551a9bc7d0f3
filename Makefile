# Everything here needs Python 3.11 or newer and make; the first target that runs installs the rest.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# --- Installing: each stamp is newer than the lock it stands for ---------------------------------
.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Unionpass needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.runtime: .venv/.python requirements/runtime.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	@touch $@

.venv/.dev: .venv/.runtime requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements/runtime.txt -r requirements/dev.txt
	@touch $@

# Node comes with a development wheel, and npm with Node. It knows the certificates that it was built
# with; the machine's own count as well, as they do for pip.
CLIENTS := tests/browser/clients
NPM := NODE_OPTIONS=--use-system-ca $(BIN)/npm
.venv/.npm: .venv/.dev $(CLIENTS)/package-lock.json
	$(NPM) ci --loglevel=error --prefix $(CLIENTS)
	@touch $@

# The programs that ours is measured beside; nothing of them is needed to run or to test it.
PEERS := benchmarks/peers
$(PEERS)/.venv/.installed: $(PEERS)/requirements.txt | .venv/.python
	$(PYTHON) -m venv $(PEERS)/.venv
	$(PEERS)/.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.PHONY: peers
peers: $(PEERS)/.venv/.installed ## Install what `make bench ARGS=--peers` measures ours beside
	@:

.PHONY: install
install: .venv/.runtime ## Install what the server needs into .venv
	@:

# --- Running -------------------------------------------------------------------------------------
.PHONY: run
run: .venv/.runtime ## Look at it: SQLite, sandbox WeChat, demo pool, on 127.0.0.1:$PORT (8000)
	@PORT=$(PORT) $(BIN)/python -m config.run

.PHONY: serve
serve: .venv/.runtime ## Serve in production, from environment variables alone (docs/settings.md)
	@$(BIN)/python -m config.serve

# --- Working on it -------------------------------------------------------------------------------
.PHONY: check
# The settings of an installation that never runs: enough for the checks to judge the real ones.
check: export SECRET_KEY := nothing-is-signed-with-this-key-while-checking-0123456789
check: export ENCRYPTION_KEYS := bm90aGluZyBpcyBlbmNyeXB0ZWQgd2l0aCB0aGlzLi4=
check: export PUBLIC_URL := https://login.example.com
check: export TRUSTED_PROXIES := 127.0.0.1
check: .venv/.dev ## Formatting, lint, types, layers, migrations, deployment settings, translations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	DATABASE_URL=sqlite:// $(BIN)/python manage.py makemigrations --check --dry-run
	DATABASE_URL=postgres://unionpass@127.0.0.1/unionpass \
		$(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py translations --check

.PHONY: test
test: WORKERS ?= 2
test: PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS)
test: .venv/.npm ## Every test, on PostgreSQL and on SQLite
	@trap 'exit 130' INT; failed=; \
	$(PYTEST) || failed=PostgreSQL; \
	DATABASE_URL=sqlite:///.pytest_cache/tests.sqlite3 $(PYTEST) || \
		failed="$${failed:+$$failed and }SQLite"; \
	test -z "$$failed" || { echo "The tests failed on $$failed."; exit 1; }

.PHONY: walk
walk: .venv/.dev ## Print the files and moves of four requests
	$(BIN)/python -m pytest -q -s tests/accounts/test_walks.py

.PHONY: bench
bench: .venv/.dev $(if $(findstring --peers,$(ARGS)),peers) ## Measure it in turn with a bare login and, with ARGS=--peers, other programs
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: profile
profile: .venv/.dev ## Print where the CPU time of a login goes, by room
	@$(BIN)/python -m benchmarks.profiling $(ARGS)

.PHONY: screenshots
screenshots: .venv/.dev ## Make the pictures of the documentation anew (Chinese needs fonts-noto-cjk)
	mkdir -p docs/images
	SCREENSHOTS=docs/images $(BIN)/python -m pytest tests/browser/test_screenshots.py

.PHONY: format
format: .venv/.dev ## Fix formatting and what lint can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: lock
lock: .venv/.dev ## Lock the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --quiet pyproject.toml --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --group dev --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -c requirements/runtime.txt \
		-o requirements/dev.txt
	$(BIN)/uv pip compile --quiet $(PEERS)/requirements.in --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -c requirements/runtime.txt \
		-o $(PEERS)/requirements.txt
	$(NPM) update --loglevel=error --package-lock-only --prefix $(CLIENTS)

.PHONY: messages
messages: .venv/.dev ## Collect translatable strings and compile the translations
	SECRET_KEY=none-is-needed-to-collect-messages ENCRYPTION_KEYS=bm90aGluZyBpcyBlbmNyeXB0ZWQgd2l0aCB0aGlzLi4= \
		$(BIN)/python manage.py translations
