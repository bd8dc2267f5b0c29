# make run    environment, indexes of all bots, server
# make test   what the tests need, then the tests
# make test-llm  the language model path with a real local model
# make check  style, types, the floors
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BOTS   ?= bots
TESTS  ?= tests
QUESTIONS ?= $(wildcard eval/*.jsonl)

.PHONY: run setup test check test-llm bench eval soak fuzz api-fuzz formats lock corpora clean faults

run: setup
	@$(BIN)/ragbots --bots-dir $(BOTS) index build --all --release
	@$(BIN)/ragbots --bots-dir $(BOTS) serve

setup: $(VENV)/.base

test: $(VENV)/.dev
	$(BIN)/pytest $(TESTS)

# The path through a real, if small, language model on this machine. Compiles for a few minutes the first time.
test-llm: $(VENV)/.dev $(VENV)/llm/.ready
	TEST_LLM_PYTHON=$(VENV)/llm/bin/python $(BIN)/pytest tests/end_to_end/test_local_model.py

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest tests/unit/test_floors.py

eval: setup
	@$(BIN)/ragbots --bots-dir $(BOTS) index build --all --release
	@$(BIN)/ragbots --bots-dir $(BOTS) eval $(QUESTIONS)

bench: $(VENV)/.bench
	@$(BIN)/ragbots --bots-dir $(BOTS) index build --all --release
	@$(BIN)/python tools/bench.py --bots-dir $(BOTS) --questions $(QUESTIONS)

# 500 clients at once, a fifth of whom go away: errors, memory, leaked tasks.
soak: $(VENV)/.dev
	@$(BIN)/ragbots --bots-dir $(BOTS) index build --all --release
	@RAGBOTS_BOTS_DIR=$(BOTS) $(BIN)/python tools/soak.py --clients 500

# Kills, full disks, damaged files, races and swaps, many of each. As root on Linux: else no disk can be mounted to be filled.
faults: $(VENV)/.dev
	TEST_FAULTS=$(or $(FAULTS),200) $(BIN)/pytest tests/faults -rP --show-capture=stdout

# Damaged files of every format, read as a build reads them. SAMPLES: a folder of HWP files to damage too.
fuzz: $(VENV)/.dev
	@$(BIN)/python tools/fuzz.py --mutations 5000 --seed 1 $(if $(SAMPLES),--samples $(SAMPLES))

# 20,000 requests made up from the OpenAPI document and from any text: none may be answered with 5xx.
api-fuzz: $(VENV)/.dev
	@GENERATED_REQUESTS=20000 $(BIN)/pytest -s --timeout 7200 tests/end_to_end/test_generated_requests.py

# One regulation in every format: what of it is read, how fast, in how much memory.
formats: $(VENV)/.dev
	@$(BIN)/python tools/formats.py $(if $(SAMPLES),--samples $(SAMPLES))

# The PDF and DOCX files of corpora/ from their texts in corpora/masters/.
corpora: $(VENV)/.dev
	$(BIN)/python tools/render_corpora.py

# The locks anew, from pyproject.toml. torch is pinned without the suffix of a build; the project itself is no part of them.
lock: $(VENV)/.dev
	$(BIN)/pip install -q pip-tools
	for name in base dev bench; do \
	  case $$name in base) extras="--extra postgres --extra redis";; dev) extras="--extra postgres --extra redis --extra dev -c requirements/base.txt";; \
	    bench) extras="--extra postgres --extra redis --extra dev --extra bench -c requirements/dev.txt";; esac; \
	  $(BIN)/pip-compile -q --strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-annotate \
	    $$extras -o requirements/$$name.txt pyproject.toml && sed -i -e 's/+cpu$$//' -e '/^ragbots @/d' requirements/$$name.txt || exit 1; \
	done

clean:
	rm -rf $(VENV) var build .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Built without the instructions that a compiler guesses from the machine: the guess can crash.
$(VENV)/llm/.ready: requirements/llm.txt
	$(PYTHON) -m venv $(VENV)/llm
	CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON" \
	  $(VENV)/llm/bin/pip install -q -r requirements/llm.txt
	@touch $@

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: apt-get install python3 python3-venv"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …"; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv is missing: apt-get install python3-venv"; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.%: requirements/%.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing $< (torch is the largest part; the first time takes minutes) …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r $<
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . 2>/dev/null || $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@
