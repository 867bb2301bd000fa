# `make` alone prints what it can do. The work itself stands in script/.
.DEFAULT_GOAL := help
.PHONY: help server test check lint types bench bench-link docs clean

help:    ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

server:  ## Serve the demo bank on http://127.0.0.1:8000
	script/server

test:    ## Run all checks and all tests, as CI does
	script/test

check: lint types  ## Run the quick checks: lint, types, layers, foregate's own
	.venv/bin/lint-imports
	.venv/bin/foregate check

lint: .venv/setup-stamp  ## Check and format the code
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

types: .venv/setup-stamp  ## Check the types
	.venv/bin/mypy

bench: .venv/setup-stamp  ## Measure speed
	script/bench

bench-link: .venv/setup-stamp  ## Measure waiting on bad links; as root
	PYTHONPATH=. .venv/bin/python -m bench.link

docs: .venv/setup-stamp  ## Write the generated files anew: diagrams, OpenAPI, catalogues
	script/generate

clean:   ## Remove .venv and everything that tools left behind
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/setup-stamp: uv.lock pyproject.toml
	script/setup --dev
	@touch $@
