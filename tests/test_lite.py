"""The notebook that runs in a reader's browser, as files: what it loads from where."""

import hashlib
import json
import os
import re
import sys
import zipfile
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from book._tools import pyodide_pins

ROOT = Path(__file__).resolve().parents[1]
PINS = json.loads(pyodide_pins.PINS.read_text(encoding="utf-8"))
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
OURS = {"jachess-lib", "comm", "ipykernel", "piplite", "pyodide-kernel"}


@pytest.fixture
def lite(html):
    """Return the folder of the notebook page."""
    return html / "lite"


@pytest.fixture
def extension(monkeypatch):
    """Return the extension that puts buttons on a chapter."""
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    import jachess_lite

    return jachess_lite


@pytest.fixture
def site(monkeypatch):
    """Return the extension that builds the notebook page."""
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    import jachess_lite_site

    return jachess_lite_site


def read(path):
    """Return what a file in JSON says."""
    return json.loads(path.read_text(encoding="utf-8"))


def sha256(path):
    """Return the hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


# What is pinned


def test_the_pins_are_those_of_the_locked_package():
    if not pyodide_pins.PYODIDE.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no npm")
    assert pyodide_pins.pins() == PINS


def test_one_version_stands_everywhere(site):
    from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION

    version = PINS["version"]
    assert version == PYODIDE_VERSION
    assert PINS["core"]["address"].endswith(f"/npm/pyodide@{version}/")
    assert PINS["packages"].endswith(f"/v{version}/full/")
    locked = read(ROOT / "tests" / "browser" / "package-lock.json")["packages"]
    assert locked["node_modules/pyodide"]["version"] == version


def test_all_that_chapters_and_kernel_need_is_pinned():
    packages = PINS["lock"]["packages"]
    code = "".join(path.read_text(encoding="utf-8") for path in CHAPTERS)
    lines = re.findall(r'"(?:from (\w+)[\w.]* import|import (\w+))', code)
    imported = {name for pair in lines for name in pair if name} - {"jachess_lib"}
    offered = {name for package in packages.values() for name in package["imports"]}
    assert {"numpy", "matplotlib", "sklearn", "scipy"} <= imported
    assert {n for n in imported if n not in offered} <= sys.stdlib_module_names
    names = {re.sub("[-_.]+", "-", name) for name in packages}
    for package in packages.values():
        assert {re.sub("[-_.]+", "-", n) for n in package["depends"]} <= names


# What was built

BOOK = pytest.mark.book


@BOOK
def test_the_page_takes_its_python_from_the_pins(lite):
    config = read(lite / "jupyter-lite.json")["jupyter-config-data"]
    kernel = config["litePluginSettings"][KERNEL]
    assert kernel["pyodideUrl"] == "./pyodide/pinned.mjs"
    assert kernel["disablePyPIFallback"] is True
    options = kernel["loadPyodideOptions"]
    assert options["lockFileURL"] == "pyodide/pyodide-lock.json"
    assert options["env"] == {"JACHESS_ENGINE": "plain"}
    assert set(options["packages"]) >= {*OURS - {"jachess-lib"}, "micropip", "ipython"}
    assert [e["name"] for e in config["federated_extensions"]] == [KERNEL[:-7]]
    assert read(lite / "pyodide" / "core.json") == PINS["core"]
    shipped = (lite / "pyodide" / "pinned.mjs").read_bytes()
    assert shipped == (ROOT / "book" / "_lite" / "pinned.mjs").read_bytes()


@BOOK
def test_every_package_has_an_address_and_a_hash(lite):
    packages = read(lite / "pyodide" / "pyodide-lock.json")["packages"]
    assert set(packages) == {*PINS["lock"]["packages"], *OURS}
    for name, package in packages.items():
        if name in OURS:
            wheel = lite / "pyodide" / package["file_name"]
            assert package["sha256"] == sha256(wheel)
        else:
            pinned = PINS["lock"]["packages"][name]
            assert package["file_name"] == PINS["packages"] + pinned["file_name"]
            assert package["sha256"] == pinned["sha256"]
            assert re.fullmatch("[0-9a-f]{64}", package["sha256"])
    needs = {"numpy", "scipy", "threadpoolctl", "matplotlib"}
    assert set(packages["jachess-lib"]["depends"]) == needs


@BOOK
def test_the_wheel_is_the_library(lite):
    (wheel,) = (lite / "pyodide").glob("jachess_lib-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for path in (ROOT / "jachess_lib").rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            assert archive.read(name) == path.read_bytes(), name


@BOOK
def test_the_chapters_are_unchanged(lite):
    shipped = {path.name: path.read_bytes() for path in (lite / "files").iterdir()}
    assert shipped == {path.name: path.read_bytes() for path in CHAPTERS}
    listed = read(lite / "api" / "contents" / "all.json")["content"]
    assert {entry["name"] for entry in listed} == set(shipped)


@BOOK
def test_the_notebook_page_names_no_host_of_its_own(lite):
    """No fonts, scripts or styles from elsewhere."""
    named = []
    for page in lite.rglob("*.html"):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        named += [tag.get("src") or tag.get("href") for tag in soup(["script", "link"])]
    assert named
    assert [url for url in named if url and "//" in url] == []
    for sheet in lite.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", text), sheet


def test_a_page_that_lost_its_settings_is_no_page(site, tmp_path):
    """As a build over an old one has made it."""
    config = site.settings()
    site.write(tmp_path / "jupyter-lite.json", config)
    site.check(tmp_path)
    kernel = config["jupyter-config-data"]["litePluginSettings"][KERNEL]
    del kernel["pyodideUrl"]
    site.write(tmp_path / "jupyter-lite.json", config)
    with pytest.raises(site.ExtensionError, match="pyodideUrl"):
        site.check(tmp_path)


def test_what_is_laid_out_for_a_build_holds_no_leftover(site, tmp_path):
    old = tmp_path / "lite" / ".jupyterlite.doit.db"
    old.parent.mkdir()
    old.write_text("of another build")
    site.stage(ROOT, tmp_path / "lite")
    assert not old.exists()


# What a chapter says


@BOOK
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_says_what_is_loaded_and_from_where(html, path):
    text = (html / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
    page = BeautifulSoup(text, "html.parser")
    note = page.select_one("#jc-run-note")
    words = note.get_text(" ", strip=True)
    for told in ("cdn.jsdelivr.net", PINS["version"], "13 MB", "this browser", "hash"):
        assert told in words, told
    for name in ("numpy", "scipy", "matplotlib", "scikit-learn"):
        assert PINS["lock"]["packages"][name]["version"] in words, name
    link = note.select_one("a[href*='lite/']")["href"]
    assert link == f"../lite/notebooks/index.html?path={path.name}"
    download = page.select_one(".jc-run a[download]")["href"]
    assert (html / "notebooks" / download).read_bytes() == path.read_bytes()


@BOOK
def test_how_to_read_says_what_was_not_tested(html):
    text = (html / "book" / "reading.html").read_text(encoding="utf-8")
    words = BeautifulSoup(text, "html.parser").article.get_text(" ")
    assert "nobody has seen a whole chapter run there" in words
    assert f"Pyodide {PINS['version']}" in words
    assert "{{" not in words


@pytest.mark.parametrize(
    ("url", "branch", "address"),
    [
        ("", "", ""),
        ("https://gitlab.com/a/b", "main", ""),
        ("https://github.com/a/b", "", "github/a/b/blob/main/notebooks/x.ipynb"),
        ("https://github.com/a/b/", "v1", "github/a/b/blob/v1/notebooks/x.ipynb"),
    ],
)
def test_colab_has_a_button_where_it_has_a_repository(extension, url, branch, address):
    options = {"repository_url": url, "repository_branch": branch}
    made = extension.colab(options, "notebooks/x")
    assert made == (address and f"https://colab.research.google.com/{address}")
    assert ("Open in Colab" in extension.note(options, "notebooks/x")) == bool(address)
