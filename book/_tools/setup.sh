#!/bin/sh
# What make itself is bad at; the Makefile calls it.
#
#   setup.sh step NAME ADVICE COMMAND...   run COMMAND quietly; if it fails, say which
#                                          step it was, show its last lines and ADVICE
#   setup.sh alone COMMAND...              run COMMAND when no other works in this folder
#   setup.sh environment                   make or mend .venv, trusting nothing half-made
#   setup.sh benchmark_environment         the same for .venv-bench, with the peers
#   setup.sh lowest_environment            the same for .venv-lowest, with the lowest
#                                          versions that the library promises
#   setup.sh browser_packages              fetch what the tests in a browser need
#   setup.sh address FILE                  print the address of FILE for a browser
#   setup.sh book_is_current               succeed if the book need not be built
#   setup.sh book_is_built                 note what it was built from
set -eu

# The way of starting decides nothing: the same encoding, rights of new files and open
# streams, whatever the shell, the folder's name or a timetable gave us.
export PYTHONUTF8=1
umask 022
{ true 3<&0; } 2>/dev/null || exec </dev/null
{ true 3>&1; } 2>/dev/null || exec >/dev/null
{ true 3>&2; } 2>/dev/null || exec 2>/dev/null

step() {
    name=$1 advice=$2
    shift 2
    logs=${LOGS:-_build/logs}
    log=$logs/$(printf %s "$name" | tr -c 'a-zA-Z0-9' '-').log
    mkdir -p "$logs"
    printf '• %s … ' "$name"
    if "$@" >"$log" 2>&1 </dev/null; then
        echo done
        return
    fi
    echo FAILED
    # Logs are read in any viewer: take the colours out.
    sed "s/$(printf '\033')\[[0-9;]*m//g" "$log" >"$log.plain" && mv "$log.plain" "$log"
    # The lines that name a fault, or else the last ones.
    grep -E ': WARNING:|ERROR|Error:' "$log" | tail -n 12 |
        cut -c 1-300 | grep . || tail -n 12 "$log" | cut -c 1-300
    printf '\nThe step "%s" failed. %s\nThe whole story is in %s\n' \
        "$name" "$advice" "$log"
    exit 1
}

# Prints "3.12" for a Python that serves, and fails for any other.
version_of() {
    "$1" -c 'import sys, venv, ensurepip
assert (3, 11) <= sys.version_info < (3, 15)
print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

find_python() {
    set -- python3 python3.14 python3.13 python3.12 python3.11 python
    [ -z "${PYTHON:-}" ] || set -- "$PYTHON"
    for python in "$@"; do
        version_of "$python" >/dev/null && return
    done
    found=$("${PYTHON:-python3}" --version 2>&1 | tail -n 1) || true
    cat >&2 <<END
This book needs Python 3.11, 3.12, 3.13 or 3.14 with its venv module, and found none:
${PYTHON:-python3} says "${found:-nothing}". Install one (on Debian and Ubuntu:
apt install python3 python3-venv), or name one that you have:
    make book PYTHON=/path/to/python3.12
END
    exit 1
}

# What an environment (the first argument) was made from: its locks, its Python, and
# where it lies, for its scripts carry the path of its folder.
key() {
    made=$1
    shift
    printf '%s %s %s\n' "$(cat "$@" | cksum)" "$(version_of "$made/bin/python")" "$PWD"
}

# Is the environment (the first argument) whole, and made from these locks? Its stamp
# `made-from` is written last: without it, the environment is half-made.
holds() {
    if [ -n "${PYTHON:-}" ]; then
        find_python
        wanted=$(version_of "$python")
    else
        wanted=$(version_of "$1/bin/python") || wanted=none
    fi
    [ "$(cat "$1/made-from" 2>/dev/null)" = "$(key "$@" 2>/dev/null)" ] &&
        [ "$(version_of "$1/bin/python")" = "$wanted" ] &&
        "$1/bin/python" -m pip --version >/dev/null 2>&1
}

environment() {
    project=.venv/project-from   # a stamp for our own package
    if ! holds .venv requirements.txt; then
        find_python
        echo "Making the environment in .venv with $python (once; a minute or two)."
        rm -rf .venv
        step "create the environment" \
            "Does '$python -m venv' work? On Debian and Ubuntu: apt install python3-venv" \
            "$python" -m venv .venv
        step "install the locked packages" \
            "Is the network up, and the disk not full? Then run the same command again." \
            .venv/bin/python -m pip install --require-hashes -r requirements.txt
        key .venv requirements.txt >.venv/made-from
    fi
    if [ "$(cat $project 2>/dev/null)" != "$(cksum <pyproject.toml)" ]; then
        step "install jachess_lib" "Is pyproject.toml sound?" \
            .venv/bin/python -m pip install --no-deps --no-build-isolation -e .
        # The link to this folder, as a way up from where it lies: Python reads such
        # files in the encoding of the locale, and may not know the letters of a path.
        echo ../../../.. >"$(echo .venv/lib/python3*/site-packages)/jachess_lib.pth"
        cksum <pyproject.toml >$project
    fi
}

# The peers of the benchmark. Torch comes last and by itself: the others would take a
# build of several gigabytes for graphics cards, had they a say in it (--no-deps).
benchmark_environment() {
    locked=benchmarks/requirements.txt
    alone=benchmarks/requirements-no-deps.txt
    torch=benchmarks/requirements-torch.txt
    holds .venv-bench $locked $alone $torch && return
    find_python
    echo "Making the benchmark's environment in .venv-bench (once; some minutes)."
    rm -rf .venv-bench
    step "create the environment of the benchmark" \
        "Does '$python -m venv' work? On Debian and Ubuntu: apt install python3-venv" \
        "$python" -m venv .venv-bench
    step "install the locked peers" \
        "Is the network up, and the disk not full? Then run the same command again." \
        .venv-bench/bin/python -m pip install --require-hashes --no-deps \
        -r $locked -r $alone
    step "install torch" \
        "Is the network up, and the disk not full? Then run the same command again." \
        .venv-bench/bin/python -m pip install -r $torch
    key .venv-bench $locked $alone $torch >.venv-bench/made-from
}

# The lowest versions have no builds for the newest Pythons: 3.11 or 3.12 it must be.
lowest_environment() {
    locked=tests/requirements-lowest.txt
    holds .venv-lowest $locked && return
    set -- python3 python3.11 python3.12
    [ -z "${PYTHON:-}" ] || set -- "$PYTHON"
    for python in "$@"; do
        case $(version_of "$python") in 3.11 | 3.12) break ;; esac
        python=
    done
    if [ -z "$python" ]; then
        echo "The lowest versions need Python 3.11 or 3.12: name one with PYTHON=..." >&2
        exit 1
    fi
    echo "Making the environment of lowest versions in .venv-lowest (once)."
    rm -rf .venv-lowest
    step "create the environment of lowest versions" \
        "Does '$python -m venv' work? On Debian and Ubuntu: apt install python3-venv" \
        "$python" -m venv .venv-lowest
    step "install the lowest versions" \
        "Is the network up, and the disk not full? Then run the same command again." \
        .venv-lowest/bin/python -m pip install --no-compile --require-hashes -r $locked
    key .venv-lowest $locked >.venv-lowest/made-from
}

# The rules of accessibility and the core of Pyodide come from npm. Without it their
# tests skip, and fail in integration.
browser_packages() {
    LOGS=$PWD/_build/logs
    cd tests/browser
    made=node_modules/made-from
    [ "$(cat $made 2>/dev/null)" != "$(cksum <package-lock.json)" ] || return 0
    if ! command -v npm >/dev/null; then
        echo "There is no npm: the tests of accessibility, and of running a chapter in" \
            "the browser, will be skipped."
        return
    fi
    step "fetch what the tests in a browser need" \
        "Is the network up? Then run the same command again." npm ci
    cksum <package-lock.json >$made
}

# All that the pages are made of, by content: a copy or a checkout changes no more than
# dates.
book_key() {
    find _config.yml _toc.yml requirements.txt book notebooks jachess_lib coursework \
        -name __pycache__ -prune -o -name .ipynb_checkpoints -prune -o \
        -type f -exec cksum {} + | LC_ALL=C sort | cksum
}

book_is_current() {
    [ -f _build/html/index.html ] && [ "$(cat _build/book-from 2>/dev/null)" = "$(book_key)" ]
}

book_is_built() {
    book_key >_build/book-from
}

# Blanks and letters such as umlauts stand in an address as numbers.
address() {
    .venv/bin/python -c 'import pathlib, sys
print(pathlib.Path(sys.argv[1]).absolute().as_uri())' "$1"
}

# `make` writes here; who may not is told so at once.
alone() {
    if ! { mkdir -p _build && : >>_build/lock; } 2>/dev/null; then
        echo "This folder is read-only for you, and make writes to it (.venv, _build," \
            "dist): copy it to a place of your own." >&2
        exit 1
    fi
    find_python
    exec "$python" book/_tools/alone.py "$@"
}

command=$1
shift
"$command" "$@"
