# Greenroom. `make` alone prints what it can do.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help install run test check bench sandbox lock docs clean chromium

BIN := .venv/bin
INSTALLED := .venv/installed
TEMPLATES = $$(git ls-files --cached --others --exclude-standard 'templates/*.html')

# What production must give, with values that nobody uses.
PRODUCTION := DEBUG=off SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	TOKEN_ENCRYPTION_KEYS=$$($(BIN)/python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())') \
	ALLOWED_HOSTS=greenroom.example PUBLIC_URL=https://greenroom.example \
	DATABASE_URL=postgres://nobody@127.0.0.1:9/none

help: ## show this
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

run: install ## start everything on this machine and print the address and the demo sign-in
	@exec $(BIN)/python -m config.supervisor --with-parent

test: install chromium ## run every test, those on PostgreSQL and in the browser too
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: install ## linters, types, import rules, migrations, packages that fit together, deployment checks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/djade --check --target-version 5.2 $(TEMPLATES)
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/uv pip check -q --offline --python $(BIN)/python
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: install ## measure, side by side, on a database of its own: all, or ONLY="storing scale"
	@exec $(BIN)/python -m bench $(ONLY)

sandbox: install ## serve only the sandbox platforms, on port 9400
	@exec $(BIN)/python manage.py sandbox --env

install: $(INSTALLED) ## prepare .venv; starts nothing

$(INSTALLED): requirements/dev.txt .ci/install
	@.ci/install
	@touch $@

lock: install ## pin the requirements anew from pyproject.toml
	@for set in base: s3:--extra=s3 "test:--extra=s3 --extra=test" "dev:--extra=s3 --extra=test --extra=dev"; do \
		$(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate -q \
			$${set#*:} -o requirements/$${set%%:*}.txt || exit 1; \
	done

docs: install ## write the generated pages of docs/
	@$(BIN)/python manage.py capabilities > docs/capabilities.md

chromium: # the browser that the tests drive
	@.ci/chromium

clean: ## remove .venv, caches and all local data (var/)
	@rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
