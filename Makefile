# The whole set-up. From a bare clone, with Python 3.11-3.14, make and nothing else:
#
#   make book    builds the book into _build/html
#   make test    runs every test
#
# `make help` lists the rest. Works with any POSIX shell and GNU make 3.81 or newer.

VENV := .venv
BIN := $(VENV)/bin
HTML := _build/html
UV_VERSION := 0.13.9
MUTMUT_VERSION := 3.8.1
PIP_AUDIT_VERSION := 2.10.1
ASSIGNMENTS = $(notdir $(patsubst %/,%,$(dir $(wildcard coursework/*/questions.py))))
# What older versions of packages can spoil: the tests of the library, without those of
# the book about it, and without those that look for slips of ours, at length.
VERSION_TESTS = $(filter-out %_answering_figures.py %_benchmarks.py %_book_map.py \
  %_built_book.py %_commands.py %_documents.py %_face.py %_ledger_json.py %_lite.py \
  %_prose.py %_release_check.py %_types.py %_compiled.py %_floats.py %_interop.py \
  %_planted_faults.py %_proved_digits.py %_saturation.py, $(wildcard tests/test_*.py))
NOTEBOOKS = $(sort $(wildcard notebooks/*.ipynb) $(wildcard book/*.ipynb))

# Leave PYTHON alone and the first Python that serves is taken.
PYTHON ?=
PORT ?= 8000
# One thread for linear algebra: sums are then always taken in the same order, and
# the outputs that notebooks store do not change from run to run. NumPy alone, too:
# what a chapter shows is what it runs.
REPEATABLE = OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 \
  JACHESS_ENGINE=plain $(AT_HOME)
# What Matplotlib, IPython and Jupyter keep at home: nothing there may change an output,
# and there may be no home that one can write to.
AT_HOME = $(foreach name,MPLCONFIGDIR IPYTHONDIR JUPYTER_CONFIG_DIR \
  JUPYTER_RUNTIME_DIR JUPYTER_DATA_DIR,$(name)="$(CURDIR)/_build/home")
# Nothing outside the project may reach into it.
export PYTHONNOUSERSITE := 1
export PYTHONPATH :=
export PYTHONUTF8 := 1
export JUPYTER_PLATFORM_DIRS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# In a container you are often root, which Jupyter wants to hear said.
ALLOW_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

SETUP = sh book/_tools/setup.sh
STEP = $(SETUP) step
# Three for two cores, so that one can wait for a browser or a sandbox.
WORKERS = -n 3 --dist loadfile --no-loadscope-reorder --max-worker-restart 0
# What writes into the folder: one at a time, by way of the rule below.
WRITERS := env book pdf current compiled test test-lowest notebooks lint release bank \
  release-check pip-audit mutants lock clean

.DEFAULT_GOAL := help
.PHONY: help serve lab bench $(WRITERS)

help: ## show this list
	@echo "The Jacobian and the Hessian of neural networks"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22
	@echo
	@echo "  make book PYTHON=python3.12   chooses the Python; any of 3.11-3.14 will do"

ifndef JACHESS_ALONE

$(WRITERS):
	@PYTHON="$(PYTHON)" $(SETUP) alone \
	  env JACHESS_ALONE=1 $(MAKE) --no-print-directory $@

else

env: ## make or mend the environment in .venv
	@PYTHON="$(PYTHON)" $(SETUP) environment

# Always the whole book: a build of the edited pages alone would leave old sidebars in
# the others, and would forget the warnings of a build that failed.
book: env ## build the book into _build/html
	@rm -rf $(HTML) _build/book-from
	@$(STEP) "release the assignments" \
	  "Its page hands them out. Run 'make release HW=...' with each to find the fault." \
	  $(BIN)/python -m coursework.release $(ASSIGNMENTS)
	@$(STEP) "build the book" \
	  "Mend what the lines above name, then run 'make book' again." \
	  $(BIN)/jupyter-book build . -W -n --keep-going --all
	@$(SETUP) book_is_built
	@echo "The book is ready: open $$($(SETUP) address $(HTML)/index.html)"
	@echo "or run 'make serve' (searching needs it in some browsers)."

current: env
	@$(SETUP) book_is_current || $(MAKE) --no-print-directory book

# LaTeX is not Python's to install; on Debian: texlive-xetex texlive-latex-extra latexmk
# xindy fonts-freefont-otf fonts-dejavu-core.
PAPER = _build/paper/_build/latex
pdf: env ## print the book into _build/jachess.pdf; needs XeLaTeX
	@command -v latexmk >/dev/null && command -v xelatex >/dev/null || { \
	  echo "It needs xelatex and latexmk: install them, then run 'make pdf' again."; exit 1; }
	@$(STEP) "write the book as LaTeX" \
	  "Mend what the lines above name, then run 'make pdf' again." \
	  $(BIN)/jupyter-book build . --builder latex --path-output _build/paper \
	  -W -n --keep-going --all
	@$(STEP) "print it" "The end of $(PAPER)/jachess.log says what LaTeX misses." \
	  $(MAKE) -C $(PAPER) all-pdf LATEXMKOPTS="-xelatex -interaction=nonstopmode"
	@cp $(PAPER)/jachess.pdf _build/jachess.pdf
	@echo "The printed book: _build/jachess.pdf"

# Files in their own order, in which the longest come first: by number of tests, a file
# with a few long ones would be left for the end, and a core with nothing to do. Who takes
# the place of a worker that has crashed may wait for ever, so none does.
# The book is built on one core; meanwhile the other compiles what the workers would else
# compile one beside the other.
test: env ## run every test; builds the book first
	@$(MAKE) --no-print-directory -j 2 book compiled
	@$(SETUP) browser_packages
	@$(REPEATABLE) $(BIN)/python -m pytest $(WORKERS) -q $(ARGS)

compiled: env
	@$(REPEATABLE) $(BIN)/python -m pytest -q -p no:cacheprovider \
	  tests/test_compiled.py -k what_is_compiled_serves_every_network \
	  >_build/compiled.log 2>&1 || { cat _build/compiled.log; exit 1; }

# Its tests and its examples alone: the book is pinned to other versions. What Numba
# keeps lies apart, for its versions would throw away each other's. In single precision
# it would compile everything a second time, which takes as long as all the rest.
test-lowest: ## test the library with the lowest versions that it promises
	@PYTHON="$(PYTHON)" $(SETUP) lowest_environment
	@$(REPEATABLE) NUMBA_CACHE_DIR=.venv-lowest/compiled \
	  .venv-lowest/bin/python -m pytest $(WORKERS) -q \
	  -o addopts="--import-mode=importlib --doctest-modules -p no:cacheprovider" \
	  -k "not (compiled and (float or precision)) and not single_precision" \
	  jachess_lib $(VERSION_TESTS) $(ARGS)

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
	    --NotebookExporter.preprocessors=nbconvert.preprocessors.CoalesceStreamsPreprocessor \
	    --CoalesceStreamsPreprocessor.enabled=True \
	    --ExecutePreprocessor.timeout=120 \
	    --ClearMetadataPreprocessor.enabled=True \
	    --ClearMetadataPreprocessor.clear_cell_metadata=False \
	    --ClearMetadataPreprocessor.preserve_nb_metadata_mask=kernelspec \
	    $$notebook || exit 1; \
	done

lint: env ## check the code's style and its types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/stubtest jachess_lib --concise --mypy-config-file pyproject.toml --allowlist tests/stubs-allowed.txt

release: env ## make what students get, in dist/ (HW=hw1, or several names)
	@$(BIN)/python -m coursework.release $(HW)

N ?= 40
SEED ?= 1
bank: env ## draw quiz questions for Moodle and Canvas, in dist/bank (N=40 SEED=1)
	@$(REPEATABLE) $(BIN)/python -m coursework.bank "$(N)" "$(SEED)"

# A second environment, empty but for the lowest versions, needs the Python of these.
release-check: env ## check the wheel, and its public names against the last release
	@PYTHON="$(PYTHON)" $(SETUP) lowest_environment
	@$(BIN)/python -m book._tools.release_check

# Asks a database of faults which locked packages have some: it needs the network.
pip-audit: env ## look for known weaknesses in the locked packages
	@$(STEP) "fetch the auditor" "Is the package index reachable?" \
	  $(BIN)/python -m pip install --upgrade --target _build/audit \
	  pip-audit==$(PIP_AUDIT_VERSION)
	@PYTHONPATH=_build/audit $(BIN)/python -m pip_audit --strict --require-hashes \
	  --disable-pip -r requirements.txt || { echo "It found a weakness, or could not ask about a" \
	  "package: its database of weaknesses cannot be reached from everywhere."; exit 1; }

# A night on two cores; the results stay in mutants/ and the next run goes on from
# there. `.venv/bin/mutmut show NAME` prints a survivor.
# A mutant is tried in a fork of one process, in which no pool of threads goes on.
mutants: env ## plant faults in the library and count those the tests catch
	@$(STEP) "fetch the mutation tester" "Is the package index reachable?" \
	  $(BIN)/python -m pip install mutmut==$(MUTMUT_VERSION)
	@$(REPEATABLE) DASK_SCHEDULER=sync $(BIN)/mutmut run --max-children 2
	@$(BIN)/mutmut results

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
  --generate-hashes --no-emit-index-url --no-emit-find-links
NEWEST = $(LOCK) --fork-strategy fewest

lock: env ## write the locked requirements anew
	@$(STEP) "fetch the resolver" "Is the package index reachable?" \
	  $(BIN)/python -m pip install uv==$(UV_VERSION)
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(NEWEST) \
	  --extra figures --extra book --extra test --extra coursework \
	  --output-file requirements.txt pyproject.toml
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) --resolution lowest-direct \
	  --extra figures --extra dask --extra fast \
	  --output-file tests/requirements-lowest.txt pyproject.toml \
	  tests/requirements-lowest.in
	@cd benchmarks && UV_CUSTOM_COMPILE_COMMAND="make lock" ../$(NEWEST) \
	  --output-file requirements.txt requirements.in
	@cd benchmarks && UV_CUSTOM_COMPILE_COMMAND="make lock" ../$(NEWEST) --no-deps \
	  --output-file requirements-no-deps.txt requirements-no-deps.in
	@cd tests/browser && npm install --package-lock-only && npm ci
	@$(BIN)/python -m book._tools.pyodide_pins
	@echo "The locks are up to date. Run 'make test' before you commit them."

clean: ## remove everything that make made
	@rm -rf $(VENV) .venv-bench .venv-lowest _build dist mutants tests/browser/node_modules
	@rm -rf .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Clean."

endif

# PORT=8001 takes another.
serve: ## show the book at http://localhost:8000, built if need be
	@$(MAKE) --no-print-directory current
	@$(BIN)/python book/_tools/serve.py $(HTML) $(PORT)

# What a chapter shows is what it runs there, too.
lab: ## open the chapters in JupyterLab
	@$(MAKE) --no-print-directory env
	@JACHESS_ENGINE=plain $(BIN)/jupyter lab --notebook-dir=. $(ALLOW_ROOT) notebooks

# Interrupt it as you like: it goes on where it stopped, as long as neither the library
# nor a package has changed. QUICK=1 writes to _build/bench and leaves the book alone.
bench: ## time the library beside its peers (QUICK=1: 4 minutes; FRESH=1: all anew)
	@PYTHON="$(PYTHON)" sh book/_tools/setup.sh benchmark_environment
	@.venv-bench/bin/python -m benchmarks.run \
	  $(if $(QUICK),--quick) $(if $(FRESH),--fresh)
