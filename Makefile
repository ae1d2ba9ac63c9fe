# make demo: watch the recognizer at work; make test: everything that must hold. Both set themselves up in .venv.
PYTHON ?= python3
NEW_PYTHON ?= python3.13
VENV := .venv
BIN := $(VENV)/bin
PROCESSES ?= auto
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
SOURCES := model streamer replay tests benchmarks

.PHONY: help demo test check audit unit renderings screenshot fuzz home-assistant lock bench soak reference crossval stateful clean

help:
	@grep -E '^# |^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^# //; s/:.*##/  -/'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "har-stream needs Python 3.11 or newer; set PYTHON=...")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/base: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing har-stream into $(VENV) (once) ..."
	@$(PIP) -c constraints.txt -e .
	@touch $@

$(VENV)/test: $(VENV)/base
	@echo "Installing what the tests need, TensorFlow among it, into $(VENV) (once, minutes) ..."
	@$(PIP) -c constraints.txt -e '.[test]'
	@touch $@

demo: $(VENV)/base ## embedded broker, the nine test subjects as simulated phones, and the listener (ARGS="--speed 4")
	$(BIN)/har-stream demo $(ARGS)

test: check unit ## ruff, mypy and all tests

check: $(VENV)/test ## ruff and mypy
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy

audit: $(VENV)/test ## known vulnerabilities of what is locked, and whether the packages fit each other
	@$(PIP) 'pip-audit>=2.9'
	$(BIN)/python -m pip --disable-pip-version-check check
	$(BIN)/python -m tests.audit

unit: $(VENV)/test ## the tests alone (ARGS="-k wire"; PROCESSES=0 for one after the other)
	$(BIN)/pytest -n $(PROCESSES) --dist loadfile $(ARGS)

home-assistant: $(VENV)/test ## Home Assistant itself as the consumer (needs NEW_PYTHON=python3.13 or newer)
	$(NEW_PYTHON) -m venv .venv-home-assistant
	.venv-home-assistant/bin/python -m pip install --quiet homeassistant==2026.2.3 paho-mqtt==2.1.0 \
		numpy PyTurboJPEG hassil home-assistant-intents
	HAR_TEST_HOME_ASSISTANT=.venv-home-assistant/bin/python $(BIN)/pytest tests/streamer/test_home_assistant_itself.py

bench: $(VENV)/test ## phones on a core, stages, bounds: docs/benchmarks/throughput.md anew (needs Mosquitto and two idle cores; ARGS=--quick)
	$(BIN)/python -m benchmarks.throughput all $(ARGS)

soak: $(VENV)/test ## four hours under load and faults: does anything grow? Then 200 starts and stops (ARGS="--hours 12")
	$(BIN)/python -m benchmarks.soak $(ARGS)
	HAR_TEST_STARTS=200 $(BIN)/pytest --timeout 3600 tests/streamer/test_service.py -k starts

reference: $(VENV)/test ## the 2019 notebook's networks, three seeds each (hours; goes on where it stopped)
	$(BIN)/python -m benchmarks.reference

crossval: $(VENV)/test ## cross-validation of the window model (hours; goes on where it stopped)
	$(BIN)/python -m benchmarks.crossval default --seeds 0,1,2

stateful: $(VENV)/test ## cross-validation of the stream model (an hour; goes on where it stopped)
	$(BIN)/python -m benchmarks.stateful train default --keep .models

fuzz: $(VENV)/test ## the decoders of what phones send, coverage-guided (ARGS="-max_total_time=300 FOLDER" keeps what is found)
	@$(PIP) 'atheris>=3.0'
	$(BIN)/python -m benchmarks.fuzz_formats $(or $(ARGS),-max_total_time=120)

renderings: $(VENV)/test ## what the console draws, recorded anew in tests/data/console: look at the difference
	$(BIN)/python -m tests.streamer.renderings record

screenshot: $(VENV)/test ## the README's pictures of the console anew, by the console itself
	$(BIN)/python -m tests.streamer.renderings picture

lock: $(BIN)/python ## the versions that the tests run with, anew
	@$(PIP) uv
	$(BIN)/uv pip compile --quiet --upgrade pyproject.toml --extra test --universal --python-version 3.11 \
		--no-annotate --custom-compile-command "make lock" --output-file constraints.txt

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
