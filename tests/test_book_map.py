"""The map of the project: chapter = module = test, and the rules of style.

Each test states one rule of CONTRIBUTING.md and fails with the place that breaks it.
"""

import ast
import inspect
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from flit_core import buildapi

import jachess_lib as jl

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LEDGER = ROOT / "book" / "ledger.ipynb"
ENGINE_PAGE = ROOT / "book" / "engine.ipynb"
OWN_NETWORK = ROOT / "book" / "own_network.ipynb"
PERFORMANCE = ROOT / "book" / "performance.ipynb"
NOTEBOOKS = [*CHAPTERS, LEDGER, ENGINE_PAGE, OWN_NETWORK, PERFORMANCE]
SLUG = {chapter: chapter.stem.partition("_")[2] for chapter in CHAPTERS}
PAGES = sorted((ROOT / "book").glob("*.md"))
MASTERS = sorted((ROOT / "coursework").glob("*/hw*.ipynb"))
LIBRARY = sorted((ROOT / "jachess_lib").glob("*.py"))
ENGINE = sorted((ROOT / "jachess_lib" / "_engine").rglob("*.py"))

EVERY_CHAPTER = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
WITH_FIGURES = [*CHAPTERS, ENGINE_PAGE, OWN_NETWORK, PERFORMANCE]
EVERY_NOTEBOOK = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)

# Who may import whom: of our modules, a lesson may use those in its row, and of the
# engine its connection. Others take its checks, for what is no sum: the network's
# constructor and its labels, and hidden units that callers make.
MAY_IMPORT = {
    "hidden_units": {"_engine.floats", "_engine.hidden_units"},
    "output_units": {"_engine.floats", "hidden_units"},
    "network": {"_engine", "_engine.inputs", "hidden_units", "output_units"},
    "backpropagation": {"_engine", "network"},
    "jacobian": {"_engine", "network", "output_units"},
    "sensitivity": {"_engine", "jacobian"},
    "differences": set(),
    "hessian": {"_engine", "backpropagation", "network"},
    "outer_product": {"_engine", "backpropagation", "hessian", "jacobian", "network"},
    "hessian_vector": {"_engine", "backpropagation", "network"},
    "levenberg_marquardt": {"_engine.levenberg_marquardt"},
    "influence": {
        "_engine.influence", "backpropagation", "hessian", "hessian_vector",
        "jacobian", "laplace", "network",
    },
    "inverse": {
        "_engine", "_engine.inverse", "jacobian", "network", "outer_product",
    },
    "kronecker": {
        "_engine.kronecker", "backpropagation", "hessian", "jacobian", "network",
    },
    "laplace": {"_engine.laplace", "backpropagation", "jacobian", "network"},
    "spectrum": {"_engine.spectrum", "hessian", "hessian_vector", "outer_product"},
    "language_model": {"_engine.language_model", "network", "output_units"},
    "optimisers": {"_engine.inputs", "_engine.optimisers", "language_model"},
    "figures": set(),
    "interop": {"_engine.inputs", "network"},
}  # fmt: skip
OUTSIDE = {
    "influence": {"numpy", "scipy"},
    "kronecker": {"numpy", "scipy"},
    "laplace": {"numpy", "scipy"},
    "language_model": {"numpy", "scipy"},
    "optimisers": {"numpy", "scipy"},
    "levenberg_marquardt": {"numpy", "scipy"},
    "spectrum": {"numpy", "scipy"},
    "hidden_units": {"numpy", "scipy"},
    "figures": {"numpy", "matplotlib"},
    "interop": {"numpy", "torch", "safetensors"},  # where they are used, and not before
}
# What a plain body is not made of: that is next door.
NOT_PLAIN = (
    r"\bchunk|\bbuffer|\bcache\b|\bout\b\s*=|\bdel\b|float32|\.dtype\b|astype|"
    r"ascontiguous|\bthread|shard|dask|numba|may_share|errstate|broadcast_to"
)
STANDARD = set(sys.stdlib_module_names)
WITHOUT_CHAPTER = {"hidden_units", "figures", "interop", "optimisers"}

PUBLIC = {
    "Network", "Trace", "forward", "one_hot", "HIDDEN_UNITS", "OUTPUT_UNITS", "error",
    "error_gradient", "input_jacobian", "parameter_jacobian", "propagate_error",
    "propagate_covariance", "chain_jacobian", "forward_difference",
    "central_difference", "complex_step", "exact_hessian", "hessian_diagonal",
    "hessian_block", "outer_product_hessian", "outer_product_diagonal",
    "residual_hessian", "hessian_vector_product", "gauss_newton_vector_product",
    "HessianOperator", "GaussNewtonOperator", "engine", "engine_used",
    "error_gradients", "jacobian_vector_product", "vector_jacobian_product",
    "HiddenUnit", "input_hessian_vector_product", "input_laplacian",
    "levenberg_marquardt",
    "Pruned", "inverse_outer_product", "obd_saliency", "obs_saliency",
    "prune", "update_inverse",
    "laplace",
    "Lanczos", "Spectrum", "hessian_spectrum",
    "hutchinson_trace", "lanczos", "spectral_density",
    "EigenFactors", "KroneckerFactors", "ekfac", "kronecker_factors",
    "natural_gradient", "nearest_kronecker", "shampoo_factors", "shared_factors",
    "Attention", "Generator", "Hidden", "Linear", "Norm", "Stack", "StackOperator",
    "named_blocks", "newton_schulz", "null_dimension", "null_generators",
    "one_step_shampoo", "polar_factor", "sampled_diagonal", "stack_error",
    "stack_gradient", "token_inputs", "transformer",
    "gradient_descent", "influence",
}  # fmt: skip

# What stands between the second and the third says in its heading what it finds.
SECTIONS = ["The question", "What you need", "Exercises", "Summary", "Sources"]


def cells(path, kind=None):
    """Return the cells of a notebook, of one kind if it is named."""
    every = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in every if kind in (None, cell["cell_type"])]


def prose(path):
    """Return all text of a notebook or page that is not code."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    return "\n\n".join("".join(cell["source"]) for cell in cells(path, "markdown"))


def labels(path):
    """Return the labels of the displayed equations of a chapter."""
    return set(re.findall(r"^\$\$ \((eq-[\w-]+)\)$", prose(path), re.MULTILINE))


def tags(module):
    """Return {tag: line below it} of a module of the library."""
    lines = (ROOT / "jachess_lib" / f"{module}.py").read_text(encoding="utf-8")
    lines = lines.splitlines()
    found = {}
    for number, line in enumerate(lines):
        if match := re.match(r"\s*# (eq-[\w-]+): (.+)", line):
            below = lines[number + 1].strip()
            assert below, f"{module}: {match[1]} has no code below"
            assert not below.startswith("#"), f"{module}: {match[1]} has no code below"
            found[match[1]] = match[2]
    return found


def imports(path):
    """Return (our modules, other packages) that a module imports."""
    ours, others = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            (ours.add(rest) if top == "jachess_lib" else others.add(top))
    return ours, others


# Chapter = module = test


def test_chapters_are_numbered_without_a_gap():
    numbers = [int(chapter.stem[:2]) for chapter in CHAPTERS]
    assert numbers == list(range(1, len(CHAPTERS) + 1))
    assert len(CHAPTERS) >= 8


@EVERY_CHAPTER
def test_each_chapter_has_its_module_and_its_test(path):
    assert (ROOT / "jachess_lib" / f"{SLUG[path]}.py").exists()
    assert (ROOT / "tests" / f"test_{SLUG[path]}.py").exists()
    code = "\n".join("".join(cell["source"]) for cell in cells(path, "code"))
    assert f"from jachess_lib.{SLUG[path]} import" in code
    assert f"`jachess_lib/{SLUG[path]}.py`" in prose(path)
    assert f"`tests/test_{SLUG[path]}.py`" in prose(path)


def test_each_module_has_its_chapter_and_its_test():
    modules = {path.stem for path in LIBRARY if path.stem != "__init__"}
    assert modules == set(SLUG.values()) | WITHOUT_CHAPTER
    for name in modules:
        assert (ROOT / "tests" / f"test_{name}.py").exists(), name


def test_the_table_of_contents_lists_every_page_in_order():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"]]
    files += [c["file"] for part in toc["parts"] for c in part["chapters"]]
    assert [f for f in files if f.startswith("notebooks/")] == [
        f"notebooks/{chapter.stem}" for chapter in CHAPTERS
    ]
    notebooks = (LEDGER, ENGINE_PAGE, OWN_NETWORK, PERFORMANCE)
    pages = {f"book/{page.stem}" for page in [*PAGES, *notebooks]}
    assert {f for f in files if f.startswith("book/")} == pages


# Imports


@pytest.mark.parametrize("module", MAY_IMPORT)
def test_a_module_imports_only_what_its_row_allows(module):
    ours, others = imports(ROOT / "jachess_lib" / f"{module}.py")
    assert ours <= MAY_IMPORT[module]
    assert others - STANDARD <= OUTSIDE.get(module, {"numpy"})


@pytest.mark.parametrize("path", ENGINE, ids=lambda p: "-".join(p.parts[-2:]))
def test_the_engine_holds_no_equation(path):
    assert "# eq-" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path", [p for p in ENGINE if p.parent.name == "compiled"], ids=lambda p: p.stem
)
def test_a_compiled_module_imports_other_such_modules_alone(path):
    ours, others = imports(path)
    assert all(name.startswith("_engine.compiled.") for name in ours)
    assert others - STANDARD <= {"numpy", "numba", "llvmlite"}


def test_the_engine_mirrors_the_lessons():
    lessons = {path.stem for path in LIBRARY}
    mirrors = {
        path.stem for path in ENGINE if "Task(" in path.read_text(encoding="utf-8")
    } - {"connection"}
    assert mirrors <= lessons
    for name in jl.__all__:
        function = getattr(jl, name)
        if hasattr(function, "plain"):
            assert function.__module__.rpartition(".")[2] in mirrors


@pytest.mark.parametrize(
    "function",
    [f for name in jl.__all__ if hasattr(f := getattr(jl, name), "plain")],
    ids=lambda f: f.__name__,
)
def test_plain_bodies_stay_plain(function):
    code = body(function)
    assert not re.search(NOT_PLAIN, code), code
    assert len(code.splitlines()) <= 22


def body(function):
    """Return the lines of a function after its docstring."""
    source = inspect.getsource(function)
    return source[source.rindex('"""') + 3 :].strip("\n")


def test_every_module_has_its_row_and_the_rows_have_no_cycle():
    modules = {path.stem for path in LIBRARY if path.stem != "__init__"}
    assert set(MAY_IMPORT) == modules
    seen = []
    rows = {
        name: {need for need in needs if not need.startswith("_engine")}
        for name, needs in MAY_IMPORT.items()
    }
    while rows:
        free = [name for name, needs in rows.items() if needs <= set(seen)]
        assert free, f"a cycle among {sorted(rows)}"
        seen += free
        rows = {name: needs for name, needs in rows.items() if name not in free}


@EVERY_NOTEBOOK
def test_chapters_import_no_heavy_framework(path):
    code = "\n".join("".join(cell["source"]) for cell in cells(path, "code"))
    assert not re.search(r"import (torch|jax|tensorflow)\b", code)
    if path != LEDGER:  # the witnesses of the ledger belong to the tests
        assert not re.search(r"import (autograd|sympy)\b", code)


def test_public_names():
    assert set(jl.__all__) == PUBLIC


@pytest.mark.parametrize(
    "name",
    sorted(n for n in PUBLIC if n.islower() and not n.startswith("engine")),
)
def test_public_docstrings_tell_shapes_and_errors(name):
    function = getattr(jl, name)
    doc = inspect.getdoc(function)
    first = doc.splitlines()[0]
    assert re.search(r"\(N,|\(P|f\(x\)\.shape|float|Trace", first), first
    assert "Raises" in doc or "are those of" in doc
    if name != "one_hot":
        assert "Parameters" in doc


@pytest.mark.parametrize("path", LIBRARY, ids=lambda p: p.stem)
def test_modules_name_their_source(path):
    if not path.stem.startswith("_") and path.stem != "figures":
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert "Source:" in doc
        assert "| symbol | code | shape |" in doc


# Equations


@EVERY_CHAPTER
def test_each_tag_of_the_module_is_a_label_of_the_chapter(path):
    found = tags(SLUG[path])
    assert found, f"{SLUG[path]} has no equation tag"
    assert set(found) <= labels(path)


@EVERY_CHAPTER
def test_labels_carry_the_name_of_their_chapter(path):
    prefix = "eq-" + SLUG[path].replace("_", "-")
    assert all(label.startswith(prefix) for label in labels(path))


def test_no_tag_stands_outside_a_chapter_s_module():
    for path in LIBRARY:
        if path.stem not in SLUG.values():
            assert not re.search(r"# eq-", path.read_text(encoding="utf-8")), path.stem


@EVERY_CHAPTER
def test_one_boxed_result(path):
    assert prose(path).count(r"\boxed") == 1


def test_each_labelled_result_has_its_line_in_the_ledger():
    rows = set()
    for cell in cells(LEDGER, "code"):
        for output in cell["outputs"]:
            text = "".join(output.get("data", {}).get("text/markdown", ""))
            rows |= set(re.findall(r"#(eq-[\w-]+)\)", text))
    every = set().union(*(labels(path) for path in CHAPTERS))
    assert rows == every


# Stored outputs


@EVERY_NOTEBOOK
def test_executed_from_top_to_bottom(path):
    counts = [cell["execution_count"] for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))


@EVERY_NOTEBOOK
def test_outputs_hold_nothing_volatile(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert set(notebook["metadata"]) == {"kernelspec"}
    for cell in notebook["cells"]:
        assert "execution" not in cell["metadata"]
        for output in cell.get("outputs", []):
            assert output["output_type"] != "error", cell["source"]
            assert output.get("name") != "stderr", cell["source"]
            text = json.dumps(
                {
                    k: v
                    for k, v in output.get("data", {}).items()
                    if not k.startswith("image/")
                }
            )
            text += "".join(output.get("text", ""))
            assert not re.search(r"/home/|/root/|/tmp/|/Users/|[A-Z]:\\\\", text)
            assert not re.search(r"Traceback|Warning|\bat 0x[0-9a-f]+", text)
            assert "nan" not in re.findall(r"\b\w+\b", text)
            if "plain_source(" not in "".join(cell["source"]):  # code is no verdict
                assert not re.search(r"\bFalse\b", text), cell["source"]


# Style


@EVERY_CHAPTER
def test_sections_follow_the_template(path):
    headings = re.findall(r"^## (.+)$", prose(path), re.MULTILINE)
    assert headings[:2] + headings[-3:] == SECTIONS
    assert len(headings) >= 10
    without_code = re.sub(r"```python.*?```", "", prose(path), flags=re.DOTALL)
    titles = re.findall(r"^# (.+)$", without_code, re.MULTILINE)
    assert len(titles) == 1
    assert len(titles[0].split()) <= 5
    question = prose(path).split("## The question")[1].split("\n## ")[0]
    assert question.strip().endswith("?")
    assert "$" not in question


@EVERY_CHAPTER
def test_exercises_of_every_kind_each_with_a_folded_solution(path):
    """A ladder of six."""
    text = prose(path)
    exercises = re.findall(r"```\{exercise(?:-start)?\}\n:label: (ex-[\w-]+)", text)
    solutions = re.findall(r"```\{solution-start\} (ex-[\w-]+)\n:class: dropdown", text)
    assert len(exercises) == 6
    assert solutions == exercises
    assert text.count("```{solution-end}") == len(exercises)
    for kind in ("*On paper.*", "*In code.*", "*To think about.*"):
        assert text.count(kind) == 1
    assert text.count("*To warm up.*") == 2
    assert len(re.findall(r"\*With chapter \d+\.\*", text)) == 1


@EVERY_CHAPTER
def test_summary_names_equation_function_and_what_came_of_it(path):
    summary = prose(path).split("## Summary")[1].split("## Sources")[0]
    lines = [line for line in summary.splitlines() if line.strip()]
    words = [line.split("**")[1] for line in lines]
    assert words == ["Equation", "Function", "Answer"]


@EVERY_NOTEBOOK
def test_code_cells_are_short(path):
    longest = 30 if path == LEDGER else 20  # the ledger folds its code away
    for cell in cells(path, "code"):
        lines = "".join(cell["source"]).splitlines()
        assert len(lines) <= longest, lines[0]
        assert max(map(len, lines), default=0) <= 88, max(lines, key=len)


@pytest.mark.parametrize("path", WITH_FIGURES, ids=lambda p: p.stem)
def test_every_figure_has_a_caption_an_alt_text_and_an_assertion(path):
    pictures, name = 0, SLUG.get(path, path.stem).replace("_", "-")
    for cell in cells(path, "code"):
        if not any("image/png" in o.get("data", {}) for o in cell["outputs"]):
            continue
        pictures += 1
        code = "".join(cell["source"])
        meta = cell["metadata"]["mystnb"]
        assert meta["figure"]["name"].startswith(f"fig-{name}")
        assert len(meta["figure"]["caption"]) > 40
        assert len(meta["image"]["alt"]) > 80
        assert "assert" in code, code.splitlines()[0]
        assert "set_title(" in code
        assert code.rstrip().endswith("plt.show()")
        assert "rcParams" not in code
    assert pictures >= 1


BANNED = re.compile(
    r"\b(clearly|simply|obviously|note that|trivially|easy to see|of course|"
    r"it is well known|behavior|neighbor|color|gray|labeled|modeled|"
    r"analyze|normalized|regularized|visualize|center|centered)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", [*NOTEBOOKS, *PAGES, *MASTERS], ids=lambda p: p.stem)
def test_no_banned_word_and_british_spelling(path):
    text = re.sub(r"```\{figure\}.*?```|`[^`]*`|\(https?:[^)]*\)", "", prose(path))
    assert BANNED.findall(text) == []


@pytest.mark.parametrize(
    "path", [*WITH_FIGURES, *PAGES, *MASTERS], ids=lambda p: p.stem
)
def test_headings_are_in_sentence_case(path):
    names = {
        "Jacobian",
        "Hessian",
        "Gauss–Newton",
        "Levenberg–Marquardt",
        "Laplace",
        "Gaussian",
        "Fisher",
        "JupyterLab",
        "Windows",
        "Python",
        "Bishop",
        "I",
        "H",
        "Becker–LeCun",
        "PRML",
        "PyTorch",
        "Monte",
        "Carlo",
        "O",
        "Kronecker",
        "J",
        "M",
        "Taylor",
        "R",
        "W",
        "Hv",
        "Monday",
    }
    outside_code = re.sub(r"```.*?```", "", prose(path), flags=re.DOTALL)
    for heading in re.findall(r"^#+ (.+)$", outside_code, re.MULTILINE):
        for word in re.findall(r"[A-Za-z–'-]+", re.sub(r"[`$].*?[`$]", "", heading))[
            1:
        ]:
            first = word.split("-")[0].removesuffix("'s")
            assert word.islower() or first in names or word in names, heading


def test_the_kronecker_delta_is_never_a_delta():
    for path in [*NOTEBOOKS, *PAGES, *MASTERS]:
        if path.stem not in ("notation", "errata", "03_jacobian"):  # they explain why
            assert not re.search(r"\\delta_\{?kl\}?(?![\w'])", prose(path)), path.stem


# The house


def our_files():
    """Return the text files that are the project's own."""
    skipped = {
        ".git",
        ".venv",
        ".venv-bench",
        ".venv-lowest",
        "_build",
        "__pycache__",
        ".pytest_cache",
        ".hypothesis",
        ".ruff_cache",
        "dist",
        "mathjax",
        "mutants",
        "node_modules",
    }
    for path in sorted(ROOT.rglob("*")):
        if path.is_file() and not skipped & set(path.relative_to(ROOT).parts):
            try:
                yield path, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def test_no_machine_and_no_package_host_is_named():
    host = re.compile(
        r"pypi\.org|pythonhosted|registry\.npmjs|deb\.debian|/work/main|/opt/"
    )
    here = Path(__file__)
    found = [
        path.name for path, text in our_files() if path != here and host.search(text)
    ]
    assert found == []


def test_the_wheel_carries_the_style_sheet_and_every_module(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    with zipfile.ZipFile(tmp_path / buildapi.build_wheel(tmp_path)) as wheel:
        names = set(wheel.namelist())
    expected = {f"jachess_lib/{path.name}" for path in LIBRARY}
    expected |= {f"jachess_lib/{name}" for name in ("jachess.mplstyle", "py.typed")}
    expected |= {f"jachess_lib/{path.name}i" for path in LIBRARY[1:]}
    assert expected <= names
    other = ("tests", "book", "notebooks", "benchmarks")
    assert not any(name.startswith(other) for name in names)


@pytest.mark.parametrize(
    ("name", "at_least"),
    [
        ("requirements.txt", 500),
        ("benchmarks/requirements.txt", 100),
        ("benchmarks/requirements-no-deps.txt", 14),
        ("tests/requirements-lowest.txt", 200),
    ],
)
def test_the_locks_name_no_address(name, at_least):
    lock = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|--(extra-)?index|find-links", lock)
    assert lock.count("--hash=sha256:") > at_least


def test_the_linter_has_nothing_to_say():
    for command in (["check", "."], ["format", "--check", "."]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
