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


def test_the_root_leads_to_the_book(html):
    refresh = _soup(html / "index.html").find("meta", attrs={"http-equiv": True})
    target = refresh["content"].split("url=")[-1].strip("'\" ")
    assert (html / target).exists()


def test_formulas_come_with_what_draws_them(html):
    assert (html / "_static/mathjax/tex-svg-full.js").exists()
    assert (html / "_static/mathjax/LICENSE").exists()


def test_every_chapter_is_in_the_book(html):
    chapters = {p.stem for p in (html.parents[1] / "notebooks").glob("*.ipynb")}
    assert chapters <= {p.stem for p in (html / "notebooks").glob("*.html")}
