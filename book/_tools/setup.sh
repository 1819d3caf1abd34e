#!/bin/sh
# What make itself is bad at; the Makefile calls it.
#
#   setup.sh step NAME ADVICE COMMAND...   run COMMAND quietly; if it fails, say which
#                                          step it was, show its last lines and ADVICE
#   setup.sh environment                   make or mend .venv, trusting nothing half-made
#   setup.sh benchmark_environment         the same for .venv-bench, with the peers
set -eu

step() {
    name=$1 advice=$2
    shift 2
    log=_build/logs/$(printf %s "$name" | tr -c 'a-zA-Z0-9' '-').log
    mkdir -p _build/logs
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
assert (3, 11) <= sys.version_info < (3, 14)
print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

find_python() {
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        version_of "$python" >/dev/null && return
    done
    found=$("${PYTHON:-python3}" --version 2>&1 | tail -n 1) || true
    cat >&2 <<END
This book needs Python 3.11, 3.12 or 3.13 with its venv module, and found none:
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

command=$1
shift
"$command" "$@"
