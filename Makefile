# `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint golden tables wheel bench fuzz fuzz-grad fuzz-mutate docs scale clean

help: ## list the targets
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $(STAMP)

demo: $(STAMP) ## train the lecture's network on handwritten digits
	$(BIN)/loopc demo

WORKERS ?= auto
test: $(STAMP) ## run the tests, on WORKERS processes
	$(BIN)/python -m pytest -n $(WORKERS)

test-all: $(STAMP) ## run the tests; a peer that is not installed is an error
	LOOPC_TEST_ALL=1 $(BIN)/python -m pytest

zoo-%: $(STAMP) ## train a model of examples/zoo: zoo-lenet, zoo-newton_logistic, zoo-gru
	$(BIN)/python -m examples.zoo.train $*

lint: $(STAMP) ## style, types, and which room imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

golden: $(STAMP) ## write the golden files anew
	$(BIN)/python -m pytest tests/test_golden.py --update-golden

tables: $(STAMP) ## make the parser's saved tables from the grammar
	$(BIN)/python grammar/make_tables.py

docs: $(STAMP) ## write the generated pages of docs/
	$(BIN)/python docs/generate.py

wheel: $(STAMP) ## build the wheel and the sdist into dist/
	$(BIN)/python -m build

N ?= 10000
SEED ?= 0
fuzz: $(STAMP) ## N random programs against the reference, from number SEED on
	$(BIN)/python -m tests.fuzz --n $(N) --seed $(SEED) --mix

fuzz-mutate: $(STAMP) ## N damaged programs: a result or loopc's own error, never another
	cd tests && ../$(BIN)/python -m fuzz.mutate $(N) $(SEED)

fuzz-grad: $(STAMP) ## N random gradients against exact ones
	$(BIN)/python -m tests.fuzz --n $(N) --seed $(SEED) --mode grad --mix

BENCH := build/bench
ONLY ?=
bench: $(STAMP) ## time against NumPy, JAX, PyTorch as far as installed; ONLY=attention for one
	mkdir -p $(BENCH)
	$(BIN)/python -m benchmarks.report --only "$(ONLY)" --growth --json $(BENCH)/bench.json --png $(BENCH)/bench.png

scale: $(STAMP) ## how the time to compile grows with a program
	$(BIN)/python -m benchmarks.scale

clean: ## remove what was built
	rm -rf $(VENV) build dist src/*.egg-info
