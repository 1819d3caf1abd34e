"""The coursework in the built book: handed out whole, and not one solution with it."""

import io
import json
import re
import zipfile

import pytest
from coursework_tools import leaked

from coursework.questions import names
from coursework.release import HERE

pytestmark = pytest.mark.book
CHAPTERS = HERE.parent / "notebooks"

# Which chapters each assignment belongs to.
BELONGS = {
    "hw1": {"03_jacobian", "04_output_units"},
    "hw2": {"02_backpropagation", "06_differences"},
    "hw3": {"07_hessian", "09_hessian_vector", "13_spectrum"},
    "hw4": {"08_outer_product", "10_levenberg_marquardt"},
    "hw5": {
        "11_inverse", "12_laplace", "14_kronecker", "15_language_model", "16_influence",
    },
}  # fmt: skip


def page(html):
    """Return the page of the coursework."""
    return (html / "book" / "coursework.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("hw", names())
def test_each_assignment_can_be_downloaded(html, hw):
    links = set(re.findall(r'href="\.\./(_downloads/[^"]+)"', page(html)))
    for name in (f"{hw}.zip", f"{hw}.ipynb"):
        (link,) = [link for link in links if link.endswith(f"/{name}")]
        released = HERE.parent / "dist" / (name if "zip" in name else f"{hw}/{name}")
        assert (html / link).read_bytes() == released.read_bytes()
    assert sum(link.endswith("/check.py") for link in links) == len(names())


def texts(path):
    """Return the texts of a file, or of the files in an archive."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            return [archive.read(name).decode() for name in archive.namelist()]
    return [path.read_text(encoding="utf-8")]


def test_no_solution_is_in_the_book(html):
    handed_out = [p for p in (html / "_downloads").rglob("*") if p.is_file()]
    pages = [html / "book" / "coursework.html", html / "searchindex.js"]
    assert len(handed_out) >= 3 * len(names())
    for path in [*handed_out, *pages]:
        for text in texts(path):
            assert leaked(text) == [], path.name


def test_no_master_is_in_the_book(html):
    inside = [path.relative_to(html) for path in html.rglob("*")]
    assert not [path for path in inside if "coursework" in path.parent.parts]
    for path in html.rglob("hw*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert "BEGIN" not in text
        assert "HIDDEN" not in text
    assert not [p for p in html.rglob("hw*.html")]


@pytest.mark.parametrize("hw", names())
def test_each_assignment_is_linked_from_its_chapters(html, hw):
    linked = {
        path.stem
        for path in CHAPTERS.glob("*.ipynb")
        if f"coursework-{hw}>" in json.dumps(json.loads(path.read_text("utf-8")))
    }
    assert linked == BELONGS[hw]
    for chapter in linked:
        text = (html / "notebooks" / f"{chapter}.html").read_text(encoding="utf-8")
        assert f'href="../book/coursework.html#coursework-{hw}"' in text
        assert f"../notebooks/{chapter}.html" in page(html)
