# make demo | test | soak | lint | format | schemas | bench | load | load-http | bundle | pictures | mutate | coverage | clean — each makes the virtual environment itself; nothing but Python 3.11+ and make is needed.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
TESTING := $(VENV)/.testing

.PHONY: demo test soak lint format schemas bench load load-http bundle pictures mutate coverage clean
.DEFAULT_GOAL := test

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (set PYTHON=/path/to/python3)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# pip before 25.1 knows no dependency groups, so the group is read here with the standard library.
$(TESTING): pyproject.toml $(RUNTIME)
	$(BIN)/python -c 'import tomllib; print("\n".join(tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["test"]))' > $(VENV)/test-requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $(VENV)/test-requirements.txt
	@touch $@

demo: $(RUNTIME)
	@$(BIN)/python -m attendance_mcp demo

lint: $(TESTING)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(TESTING)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# A file of tests stays on one worker, which opens its schools once. A third worker uses the time in which tests wait for time-outs;
# files go in their order, since by the number of their tests the longest would come last.
test: lint
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

# The tests, with every line and branch that they run written down, in the servers they start too; under 98 % it fails.
coverage: $(TESTING)
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --cov

# The state machine of writes, floods and fuzzed arguments, at length: others at every run; and what takes its time: faults, replicas that are killed.
soak: $(TESTING)
	STDIO_LINES=1000000 $(BIN)/python -m pytest tests/server/test_stdio_floods.py
	ARGUMENT_EXAMPLES=2000 HYPOTHESIS_PROFILE=default $(BIN)/python -m pytest tests/tools/test_argument_fuzz.py
	FULL_SIZE=1 $(BIN)/python -m pytest tests/faults/test_matrix.py -k shipped
	REPLICA_PAIRS=5000 $(BIN)/python -m pytest tests/replicas/test_replicas.py
	STATE_MACHINE_RUNS=10000 HYPOTHESIS_PROFILE=default $(BIN)/python -m pytest tests/changes/test_state_machine.py

# Small faults put one by one into what decides about writes and outside text: does a test fail at each? 60 of each file
# unless SAMPLE says otherwise, those of one part with `MUTANTS='attendance_mcp.rules.*'`; status 1 where a file's killed are
# fewer than 85 %. It works on a copy, in an environment of its own.
SAMPLE ?= 60
MUTATED := $(addprefix tests/,ground rules digest api tools/test_arguments.py tools/test_bad_arguments.py) $(addprefix tests/changes/test_,$(addsuffix .py,\
	applying approval approval_matrix class_marks confirmations erasing errands excusals keeping leases list_changes plans \
	risks settling store store_file store_versions undo warnings outcomes_told wording))
mutate: $(TESTING)
	test -x .venv-mutate/bin/python || $(PYTHON) -m venv .venv-mutate
	.venv-mutate/bin/python -m pip install --quiet --disable-pip-version-check --editable . --requirement $(VENV)/test-requirements.txt 'mutmut>=3.8,<3.9'
	rm -rf .mutate && mkdir .mutate
	git ls-files --cached --others --exclude-standard -z | tar --null -T - -cf - | tar -xf - -C .mutate
	cd .mutate && ../.venv-mutate/bin/python -m tests.mutants
	cd .mutate/mutants && HYPOTHESIS_PROFILE=mutants ../../.venv-mutate/bin/python -m pytest -p no:xdist -p tests.mutants --inline-snapshot=disable -o filterwarnings=ignore \
		--sample $(SAMPLE) $(if $(MUTANTS),--mutants '$(MUTANTS)') $(MUTATED)

# Speed and size beside the peers, in one run; what it needs beyond the project goes into an environment of its own.
bench: | $(VENV)/bin/python
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --editable . --requirement benchmarks/requirements.txt
	.venv-bench/bin/python -m benchmarks

# Many calls in flight for a minute beside a bare tool of the SDK, over stdio and HTTP, and over HTTP at three loads, with a
# district's peak pressed into a minute; status 1 where an error comes or a bar is missed. LOAD_SECONDS=10 takes less, and
# PEAK_SECONDS=600 lets the peak last as long as it does.
load: $(RUNTIME)
	$(BIN)/python -m benchmarks --strict load

load-http: $(RUNTIME)
	$(BIN)/python -m benchmarks --strict load-http peak

# The bundle for Claude Desktop, tried by a real client, and its bill of materials; what it needs goes into an environment of its own.
bundle: | $(VENV)/bin/python
	test -x .venv-bundle/bin/python || $(PYTHON) -m venv .venv-bundle
	.venv-bundle/bin/python -m pip install --quiet --disable-pip-version-check --editable . --requirement bundle/requirements.txt
	.venv-bundle/bin/python bundle/make.py

# The tools' published schemas, from their code.
schemas: $(RUNTIME)
	$(BIN)/python -m attendance_mcp.tools.publish

# The documents' pictures of the window; needs Debian's packages chromium and chromium-driver.
pictures: $(TESTING)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pillow
	$(BIN)/python -m tests.window.pictures

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .hypothesis
