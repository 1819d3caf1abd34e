"""The built book as files: its links lead somewhere, and it needs nothing else."""

import re
from functools import cache
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

pytestmark = pytest.mark.book


@cache
def _soup(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")


@cache
def _anchors(path):
    page = _soup(path)
    ids = {tag["id"] for tag in page.find_all(id=True)}
    return ids | {tag["name"] for tag in page.find_all("a", attrs={"name": True})}


def _is_external(url):
    parts = urlsplit(url)
    return bool(parts.scheme or parts.netloc)


def test_internal_links_lead_somewhere(html, page_name):
    page = html / page_name
    broken = []
    for tag in _soup(page).find_all(href=True) + _soup(page).find_all(src=True):
        url = tag.get("href") or tag.get("src") or ""
        if _is_external(url) or url in ("", "#"):
            continue
        parts = urlsplit(url)
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        target = target / "index.html" if target.is_dir() else target
        if (
            not target.is_relative_to(html)
            or not target.exists()
            or (
                parts.fragment
                and target.suffix == ".html"
                and unquote(parts.fragment) not in _anchors(target)
            )
        ):
            broken.append(url)
    assert broken == []


def test_nothing_is_loaded_from_outside(html, page_name):
    page = _soup(html / page_name)
    loaded = [tag["src"] for tag in page.find_all(src=True)]
    loaded += [
        tag["href"]
        for tag in page.find_all("link", href=True)
        if {"stylesheet", "preload", "icon", "modulepreload"} & set(tag.get("rel", ()))
    ]
    assert [u for u in loaded if _is_external(u) and not u.startswith("data:")] == []


def test_no_path_of_a_machine_is_published(html, page_name):
    text = (html / page_name).read_text(encoding="utf-8")
    local = re.compile(
        r"file://|(?<![\w.])/(?:home|Users|root|tmp|work|opt|usr/lib)/\w|[A-Z]:\\\\?Users"
    )
    assert [text[m.start() : m.start() + 80] for m in local.finditer(text)] == []
    assert str(html.parents[1]) not in text


def test_the_root_is_the_first_page(html):
    """A page with a title and text, not a way to another one."""
    root, first = _soup(html / "index.html"), _soup(html / "book" / "index.html")
    assert root.find("meta", attrs={"http-equiv": "refresh"}) is None
    assert root.title.text == first.title.text
    assert root.article.get_text() == first.article.get_text()


def test_formulas_come_with_what_draws_them(html):
    place = html / "_static" / "mathjax"
    assert (place / "mathjax.js").stat().st_size > 500_000
    assert (place / "LICENSE").exists()
    assert list((place / "stix2" / "svg" / "dynamic").glob("*.js"))


def test_what_is_shipped_comes_with_its_licence(html):
    fonts = html / "_static" / "fonts"
    for file in fonts.glob("*.woff2"):
        name = file.name.split("-latin")[0].split("-greek")[0]
        licence = (fonts / f"LICENSE-{name}").read_text(encoding="utf-8")
        assert "SIL OPEN FONT LICENSE" in licence.upper()
    assert (html / "_static" / "minisearch" / "LICENSE.txt").exists()


CHAPTER = re.compile(r"notebooks/0?(\d+)_\w+\.html")
CHAPTER = re.compile(r"notebooks/0?([1-9]\d?)_\w+\.html")


def test_a_chapter_has_its_number_everywhere(html, page_name):
    """In its title, and in front of its exercises, figures and equations."""
    found = CHAPTER.fullmatch(page_name)
    article = _soup(html / page_name).article
    if not found:
        return
    number = found[1]
    assert article.h1.get_text().startswith(f"{number}. ")
    shown = [e.get_text() for e in article.select(".caption-number, .eqno")]
    assert len(shown) >= 7
    for text in shown:
        assert re.match(rf"\(?(?:Fig\. |Exercise )?{number}\.\d+", text.strip()), text


def test_references_in_prose_are_links(html, page_name):
    """Chapters and exercises; what follows a citation is a chapter of another book."""
    article = _soup(html / page_name).article or _soup(html / page_name).body
    dead = []
    for text in article.find_all(string=re.compile(r"\b[Cc]hapters? \d|\bexercise \d")):
        closed = ["a", "code", "pre", "h1", "h2", "h3", "title", "svg"]
        before = text.previous_sibling
        cited = getattr(before, "name", None) == "span" and text.startswith(",")
        about = text.find_parent(id="search-results") or text.find_parent(["td"])
        if not (text.find_parent(closed) or cited or about):
            dead.append(text.strip()[:80])
    assert dead == []


def test_an_equation_has_its_anchor_once(html, page_name):
    anchors = [tag["id"] for tag in _soup(html / page_name).select("[id^=equation-]")]
    assert len(set(anchors)) == len(anchors)


def test_every_row_of_the_ledger_has_its_cells_and_was_caught(html):
    article = _soup(html / "book" / "ledger.html").article
    rows = [row for row in article.select("tr") if row.select_one("td a[href*='eq-']")]
    counted = re.search(r"(\d+) equations", article.get_text())[1]
    assert len(rows) == int(counted)
    for row in rows:
        cells = [cell.get_text(strip=True) for cell in row.select("td")]
        assert len(cells) == 7, cells
        assert cells[-1] == "caught", cells
        assert all("✓" in cell for cell in cells[1:5]), cells


def test_no_formula_is_left_as_text(html, page_name):
    """In captions, in the ledger and in tables: an index is set below its letter."""
    article = _soup(html / page_name).article
    if not article:
        return
    raw = re.compile(r"\\\w+|(?<![\w`.])[A-Za-z∂δΣ]{1,2}_[a-z]{1,2}\b|[∂Σδ]\w*_")
    for place in article.select("figcaption, td, th"):
        for text in place.find_all(string=raw):
            inside = text.find_parent(["code", "pre"]) or text.find_parent(
                class_="math"
            )
            assert inside, text


def test_pictures_keep_their_place(html, page_name):
    for picture in _soup(html / page_name).select("article img"):
        if "_images/" in picture["src"] and picture["src"].endswith(".png"):
            assert int(picture["width"]) > 100
            assert int(picture["height"]) > 100
            assert picture["loading"] == "lazy"
            twin = picture["src"].replace("-dark.png", ".png")
            assert (html / page_name).parent.joinpath(twin).exists()


def test_a_page_says_what_it_is_to_those_who_link_to_it(html, page_name):
    page = _soup(html / page_name)
    address = page.find("link", rel="canonical")
    if page_name in ("genindex.html", "py-modindex.html", "search.html", "404.html"):
        return
    assert address["href"].startswith("https://")
    assert address["href"].endswith(page_name)
    words = page.find("meta", attrs={"name": "description"})["content"]
    assert page.find("meta", property="og:description")["content"] == words
    assert page.find("meta", property="og:site_name")["content"]
    assert page.find("meta", property="og:image")["content"].endswith("card.png")
    assert page.find("link", rel="apple-touch-icon")


def test_every_chapter_is_in_the_book(html):
    chapters = {p.stem for p in (html.parents[1] / "notebooks").glob("*.ipynb")}
    assert chapters <= {p.stem for p in (html / "notebooks").glob("*.html")}


def test_no_label_of_a_cell_is_a_formula(html):
    """On a phone it stands beside the cell as it is, and nothing typesets it."""
    for path in (*html.glob("notebooks/*.html"), *html.glob("book/*.html")):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
        labels = [cell["data-label"] for cell in page.select("[data-label]")]
        assert [label for label in labels if "\\" in label] == [], path.name
