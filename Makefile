# The few commands of this project. Needs Python 3.11 or newer, make and git; the rest it fetches.
# `make run` serves the demo, `make test` runs every check and test; both set everything up first.

PYTHON ?= python3
PORT ?= 8080
# How many test processes: one more than a small machine has cores, as some of them wait.
WORKERS ?= 3
BIN := .venv/bin

# No tool may quietly bring a Python of its own.
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.PHONY: help setup run test check format bench drill nodes mutants attack pictures tamper trust turning restore triage lock clean sbom

help: ## Show the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv, install the locked parts, build the pages' files (quick when nothing changed)
	@$(PYTHON) .ci/setup.py

run: setup ## Serve the demo at http://127.0.0.1:8080 (PORT=9000 changes it)
	@PORT=$(PORT) exec $(BIN)/helpline demo

test: setup ## Run all checks and all tests
	@$(BIN)/python -m tests.find_browser
	@$(MAKE) --no-print-directory -j 2 check-now test-now

.PHONY: test-now
test-now:
	@echo "test: running every test in $(WORKERS) processes"
	@$(BIN)/python -m pytest -q -n $(WORKERS) --durations 15 $(ARGS)

check: setup check-now ## Lint, formatting and types

.PHONY: check-now
check-now:
	@echo "check: lint"
	@$(BIN)/ruff check --quiet .
	@echo "check: formatting"
	@$(BIN)/ruff format --check --quiet . || { echo "check: run 'make format'"; exit 1; }
	@echo "check: types"
	@$(BIN)/mypy || { [ $$? -eq 2 ] && echo "check: mypy itself fell over; once more" \
		&& $(BIN)/mypy --show-traceback; }

format: setup ## Put formatting and imports in order
	@$(BIN)/ruff check --quiet --fix --select I . ; $(BIN)/ruff format .

bench: setup ## Measure speed, and print it beside the aims
	@$(BIN)/python -m tests.bench

drill: setup ## Kill it 60 times under 10,000 webhooks on each database: nothing is lost (ARGS=--help); then `nodes`
	@$(BIN)/python -m tests.drills $(ARGS)
	@[ -n "$(ARGS)" ] || $(BIN)/python -m tests.drills.nodes

nodes: setup ## Kill, freeze and unplug three nodes while 5,000 deadlines come due (ARGS=--help)
	@$(BIN)/python -m tests.drills.nodes $(ARGS)

turning: setup ## Change the keys while people write and workers answer, on each database (ARGS=--help)
	@$(BIN)/python -m tests.drills.turning $(ARGS)

tamper: setup ## Change, take away and put in lines of the audit trail by hand: all is found (ARGS=--help)
	@$(BIN)/python -m tests.drills.tamper $(ARGS)

mutants: setup ## Break the rules in one small way at a time: a test notices (ARGS="clocks --most 100")
	@$(BIN)/python -m tests.drills.mutants $(ARGS)

trust: setup ## Two hundred canaries, two thousand injections, a hundred thousand forged hooks (an hour)
	@$(BIN)/python -m tests.drills.canaries
	@$(BIN)/python -m tests.drills.injections
	@$(BIN)/python -m tests.drills.forging

pictures: setup ## Every page in every state as a picture, looked at with axe, to var/pictures (ARGS="full")
	@$(BIN)/python -m tests.find_browser
	@$(BIN)/python -m tests.browser.pictures $(ARGS)

attack: setup ## Publish a made year of a contract and solve for what is hidden (ARGS=--help; up to hours)
	@$(BIN)/python -m tests.drills.attack $(ARGS)

restore: setup ## Copy 100,000 cases while they are worked on, bring them back, see that nothing leaves (ARGS=--help)
	@$(BIN)/python -m tests.drills.restore $(ARGS)

triage: setup ## Learn triage anew, cross-validate it and print the table (some minutes)
	@PYTHONPATH=. $(BIN)/python -m helpline.rules.triage.train tests/data/triage
	@$(BIN)/python -m tests.triage_eval

# Keeps the pins that still fit; `make lock UPGRADE=--upgrade` takes the newest.
UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header
lock: setup ## Write the lock files anew from pyproject.toml and package.json
	@$(BIN)/python -m pip install --quiet 'uv>=0.9'
	@$(UV_COMPILE) $(UPGRADE) pyproject.toml --all-extras --group dev -o requirements.lock
	@$(UV_COMPILE) pyproject.toml --all-extras -c requirements.lock -o requirements-serve.lock
	@$(UV_COMPILE) $(UPGRADE) --group build --group node -c requirements.lock \
		-o requirements-build.lock
	@npm install --package-lock-only --ignore-scripts --silent
	@echo "lock: three requirements locks and package-lock.json are written"

sbom: ## Write what the program is made of to dist/sbom.cdx.json (CycloneDX, from the locks)
	@$(PYTHON) .ci/sbom.py

clean: ## Remove everything that was made, but never var/ (a database may be in it)
	rm -rf .venv node_modules templates/static/built dist build .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
