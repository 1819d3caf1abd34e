# The whole set-up. From a bare clone, with Python 3.11-3.13, make and nothing else:
#
#   make book    builds the book into _build/html
#   make test    runs every test
#
# `make help` lists the rest. Works with any POSIX shell and GNU make 3.81 or newer.

VENV := .venv
BIN := $(VENV)/bin
LOGS := _build/logs
HTML := _build/html
UV_VERSION := 0.13.9
MUTMUT_VERSION := 3.8.1
ASSIGNMENTS = $(notdir $(patsubst %/,%,$(dir $(wildcard coursework/*/questions.py))))
NOTEBOOKS = $(sort $(wildcard notebooks/*.ipynb) $(wildcard book/*.ipynb))

# Leave PYTHON alone and the first Python that serves is taken.
PYTHON ?=
# One thread for linear algebra: sums are then always taken in the same order, and
# the outputs that notebooks store do not change from run to run. NumPy alone, too:
# what a chapter shows is what it runs.
REPEATABLE = OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 \
  JACHESS_COMPILED=0
# Nothing outside the project may reach into it.
export PYTHONNOUSERSITE := 1
export PYTHONPATH :=
export JUPYTER_PLATFORM_DIRS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# In a container you are often root, which Jupyter wants to hear said.
ALLOW_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

STEP = sh book/_tools/setup.sh step

.DEFAULT_GOAL := help
.PHONY: help env book test serve lab notebooks lint release bench mutants lock clean

help: ## show this list
	@echo "The Jacobian and the Hessian of neural networks"
	@echo
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 18
	@echo
	@echo "  make book PYTHON=python3.12   chooses the Python; any of 3.11-3.13 will do"

env: ## make or mend the environment in .venv
	@PYTHON="$(PYTHON)" sh book/_tools/setup.sh environment

# Always the whole book: a build of the edited pages alone would leave old sidebars in
# the others, and would forget the warnings of a build that failed.
book: env ## build the book into _build/html
	@rm -rf $(HTML)
	@$(STEP) "release the assignments" \
	  "Its page hands them out. Run 'make release HW=...' with each to find the fault." \
	  $(BIN)/python -m coursework.release $(ASSIGNMENTS)
	@$(STEP) "build the book" \
	  "Mend what the lines above name, then run 'make book' again." \
	  $(BIN)/jupyter-book build . -W -n --keep-going --all
	@echo "The book is ready: open file://$(CURDIR)/$(HTML)/index.html"
	@echo "or run 'make serve' (searching needs it in some browsers)."

test: book ## run every test; builds the book first
	@$(REPEATABLE) $(BIN)/python -m pytest -n 2 --dist loadfile -q $(ARGS)

serve: book ## show the book at http://localhost:8000
	@echo "http://localhost:8000  (Ctrl-C stops it)"
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(HTML) 8000

lab: env ## open the chapters in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir=. $(ALLOW_ROOT) notebooks

# Executes in place and stores the outputs and nothing volatile: no times, no version
# of Python. Tags, captions and alt texts of the cells stay.
notebooks: env ## execute all notebooks and store their outputs
	@test -n "$(NOTEBOOKS)" || { echo "There is no notebook yet."; exit 1; }
	@for notebook in $(NOTEBOOKS); do \
	  $(REPEATABLE) $(STEP) "execute $$notebook" \
	    "Run its cells in 'make lab' to see the error where it happens." \
	    $(BIN)/jupyter nbconvert --to notebook --execute --inplace \
	    --ExecutePreprocessor.record_timing=False \
	    --ExecutePreprocessor.kernel_name=python3 \
	    --ExecutePreprocessor.coalesce_streams=True \
	    --ExecutePreprocessor.timeout=120 \
	    --ClearMetadataPreprocessor.enabled=True \
	    --ClearMetadataPreprocessor.clear_cell_metadata=False \
	    --ClearMetadataPreprocessor.preserve_nb_metadata_mask=kernelspec \
	    $$notebook || exit 1; \
	done

lint: env ## check the code's style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

release: env ## make what students get, in dist/ (HW=hw1, or several names)
	@$(BIN)/python -m coursework.release $(HW)

# Interrupt it as you like: it goes on where it stopped, as long as neither the library
# nor a package has changed. QUICK=1 writes to _build/bench and leaves the book alone.
bench: ## time the library beside its peers (QUICK=1: 4 minutes; FRESH=1: all anew)
	@PYTHON="$(PYTHON)" sh book/_tools/setup.sh benchmark_environment
	@.venv-bench/bin/python -m benchmarks.run \
	  $(if $(QUICK),--quick) $(if $(FRESH),--fresh)

# Ten minutes on two cores; the results stay in mutants/ and the next run goes on
# from there. `.venv/bin/mutmut show NAME` prints a survivor.
mutants: env ## plant faults in the library and count those the tests catch
	@$(STEP) "fetch the mutation tester" "Is the package index reachable?" \
	  $(BIN)/python -m pip install mutmut==$(MUTMUT_VERSION)
	@$(REPEATABLE) $(BIN)/mutmut run --max-children 2
	@$(BIN)/mutmut results

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
  --fork-strategy fewest --generate-hashes --no-emit-index-url --no-emit-find-links

lock: env ## write the locked requirements anew
	@$(STEP) "fetch the resolver" "Is the package index reachable?" \
	  $(BIN)/python -m pip install uv==$(UV_VERSION)
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) \
	  --extra figures --extra book --extra test --extra coursework \
	  --output-file requirements.txt pyproject.toml
	@cd benchmarks && UV_CUSTOM_COMPILE_COMMAND="make lock" ../$(LOCK) \
	  --output-file requirements.txt requirements.in
	@cd benchmarks && UV_CUSTOM_COMPILE_COMMAND="make lock" ../$(LOCK) --no-deps \
	  --output-file requirements-no-deps.txt requirements-no-deps.in
	@echo "The locks are up to date. Run 'make test' before you commit them."

clean: ## remove everything that make made
	@rm -rf $(VENV) .venv-bench _build dist mutants .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Clean."
