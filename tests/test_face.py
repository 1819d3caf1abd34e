"""The face of the book: one palette, one spelling for a letter, words for each page."""

import json
import re
import struct
import tomllib
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import yaml

from book._tools import palette, pictures

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
    *sorted((ROOT / "coursework").glob("*/hw*.ipynb")),
    *sorted((ROOT / "book").glob("*.ipynb")),
    *sorted((ROOT / "book").glob("*.md")),
]
EACH_SOURCE = pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)


def written(path):
    """Return what a reader of a page reads: its prose and its captions."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    parts = []
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] == "markdown":
            parts.append("".join(cell["source"]))
        figure = cell["metadata"].get("mystnb", {}).get("figure", {})
        parts.append(figure.get("caption", ""))
    return "\n\n".join(parts)


def formulas(text):
    """Return all formulas of a text, inline and displayed."""
    code = r"```(?!\{(?:exercise|solution|margin|admonition|chapters)).*?```"
    text = re.sub(code, "", text, flags=re.DOTALL)
    shown = re.findall(r"\$\$(.*?)\$\$", text, re.DOTALL)
    rest = re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)
    return shown + re.findall(r"(?<!\\)\$([^$]+)\$", rest)


# The palette


def test_what_the_palette_makes_is_current():
    for path, text in palette.files().items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_no_style_sheet_names_a_colour_of_its_own():
    static = ROOT / "book" / "_static"
    sheets = [static / "jachess.css", *(static / "figures").glob("*.css")]
    assert len(sheets) > 3
    for sheet in sheets:
        on_screen = sheet.read_text(encoding="utf-8").partition("@media print")[0]
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b", on_screen) == [], sheet.name


def brightness(code):
    """Return the relative luminance of a colour, as WCAG defines it."""
    rgb = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    """Return the contrast of two colours, between 1 and 21."""
    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


TEXT = ["ink", "muted", "link", "J", "M", "residual", "good", "warning"]


@pytest.mark.parametrize(("role", "which"), list(product(TEXT, (0, 1))))
def test_every_text_can_be_read(role, which):
    roles, _ = palette.read()
    assert contrast(roles[role][which], roles["paper"][which]) >= 4.9
    assert contrast(roles[role][which], roles["surface"][which]) >= 4.48


def numbers(drawn):
    """Return the numbers of a picture, and what stands between them."""
    return np.array(re.findall(r"-?\d+\.?\d*", drawn), float), re.sub(
        r"[-\d.]", "", drawn
    )


@pytest.mark.parametrize("path", list(pictures.files()), ids=lambda p: p.stem)
def test_the_pictures_of_the_chapters_are_current(path):
    """As drawn anew, but for a last digit."""
    new, words = numbers(pictures.files()[path])
    old, old_words = numbers(path.read_text(encoding="utf-8"))
    assert old_words == words
    np.testing.assert_allclose(old, new, atol=0.11)


@pytest.mark.parametrize(
    ("name", "size"), [("card", (1200, 630)), ("touch-icon", (180, 180))]
)
def test_the_card_and_the_icon_have_their_size(name, size):
    head = (ROOT / "book" / "_static" / f"{name}.png").read_bytes()[:24]
    assert struct.unpack(">II", head[16:]) == size


# One letter, one face


@EACH_SOURCE
def test_a_letter_has_one_spelling(path):
    r"""Bold is \mathbf{J}; Greek has \boldsymbol{\delta}; a transpose is ^{\top}."""
    for formula in formulas(written(path)):
        assert not re.search(
            r"\\(bm|mathsf|mathit|vJ|vM|vH|vw|T)(?![A-Za-z])", formula
        ), formula
        assert not re.search(r"\\mathbf(?!\{)|\\boldsymbol(?!\{\\)", formula), formula
        assert not re.search(r"\\top(?!\})", formula.replace(r"-\top", "")), formula


@EACH_SOURCE
def test_a_whole_matrix_is_bold(path):
    """J and H without an index are matrices, and alike everywhere."""
    # there J counts units, and says so
    counts = path.stem in ("07_hessian", "14_kronecker", "notation")
    for formula in formulas(written(path)):
        bare = re.findall(r"(?<![\\A-Za-z{])[JH](?![_A-Za-z}])", formula)
        assert counts or bare == [], formula


def test_a_formula_takes_the_colours_of_its_letters(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    from jachess_formulas import coloured

    assert coloured(r"\mathbf{J}^{\top}\mathbf{M}") == r"{\vJ}^{\top}{\vM}"
    assert coloured(r"J_{ki} + M_{kk'}") == r"{\mJ}_{ki} + {\mM}_{kk'}"
    assert coloured(r"M_\text{in}") == r"M_\text{in}"
    assert coloured(r"(y_{nk} - t_{nk})\,x") == r"\res{(y_{nk} - t_{nk})}\,x"
    assert coloured(r"(y_k - t_k + 1)") == r"(\res{y_k - t_k} + 1)"


def test_a_symbol_means_what_the_page_notation_says(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    import jachess_symbols as symbols

    said = symbols.SYMBOLS
    assert said["E"] == ("error of all patterns", "a number")
    assert said[r"\mathbf{H}"][1] == "shape (P, P)"
    assert (
        said["a_j"]
        == said["a_{nj}"]
        == (r"weighted sum into unit \(j\)", "shape (N, M)")
    )
    assert said["t_k"][1] == "shape (K,)"
    assert len(said) >= 35
    for meaning, shape in said.values():
        assert meaning
        assert "`" not in meaning + shape
        assert "$" not in meaning + shape


def test_a_symbol_is_not_explained_where_it_has_its_second_use(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    from jachess_symbols import ORDER, place_of

    assert ORDER[place_of("E", "notebooks/02_backpropagation")] == "E"
    assert place_of("E", "notebooks/15_language_model") is None
    assert place_of(r"\mathbf{A}", "notebooks/14_kronecker") is None
    assert place_of(r"\mathbf{A}", "notebooks/11_inverse") is not None
    assert place_of("E + 1", "notebooks/02_backpropagation") is None
    assert place_of("E", "book/notation") is None


@pytest.mark.book
@pytest.mark.parametrize(
    ("chapter", "tex", "marked"),
    [("07_hessian", r"\mathbf{H}", True), ("01_network", r"\mathbf{A}", False),
     ("05_sensitivity", "z_j", False), ("05_sensitivity", "J_{ki}", True)],
)  # fmt: skip
def test_a_chapter_explains_the_symbols_that_it_lists(
    html, monkeypatch, chapter, tex, marked
):
    """Not those that it does not list, nor those that mean another thing there."""
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    from jachess_symbols import ORDER

    text = (html / "notebooks" / f"{chapter}.html").read_text(encoding="utf-8")
    assert (f"jc-symbol-{ORDER.index(tex)} math" in text) == marked


def test_the_letter_of_a_symbol_is_known_by_its_second_use(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    from jachess_symbols import SECOND, letter

    assert 15 in SECOND["E"]
    assert letter(r"\boldsymbol{\Gamma}") == r"\Gamma"


@pytest.mark.parametrize(
    ("plain", "tex"),
    [
        ("a_j = Σ_i w_ji z_i", r"a_{j} = \sum _{i} w_{ji} z_{i}"),
        ("C ε^p + ε_m |f|", r"C \epsilon ^{p} + \epsilon _{m} \lvert f\rvert "),
        ("R{δ_k} = M_kk′", r"R\{\delta _{k}\} = M_{kk'}"),
        ("cov(y) ≃ J cov(x) Jᵀ", r"\operatorname{cov}(y) \simeq  \mathbf{J} "
         r"\operatorname{cov}(x) \mathbf{J}^{\top}"),
    ],
)  # fmt: skip
def test_plain_formulas_are_typeset(monkeypatch, plain, tex):
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    import jachess_plain

    assert jachess_plain.tex(plain) == tex
    words = [node.astext() for node in jachess_plain.typeset("the sum a_j is so")]
    assert words == ["the ", "sum ", "a_{j}", " ", "is ", "so "]


# Words for every page


def test_every_page_has_a_description_of_its_own():
    with (ROOT / "book" / "_ext" / "pages.toml").open("rb") as file:
        known = tomllib.load(file)["pages"]
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = {toc["root"]} | {
        c["file"] for part in toc["parts"] for c in part["chapters"]
    }
    assert set(known) == files
    words = [page["description"] for page in known.values()]
    assert len(set(words)) == len(words)
    assert all(20 < len(text) < 200 for text in words)


def test_the_address_of_the_site_stands_once():
    text = (ROOT / "_config.yml").read_text(encoding="utf-8")
    assert text.count(yaml.safe_load(text)["html"]["baseurl"]) == 1


def test_a_dark_twin_turns_lightness_and_keeps_hue(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    import jachess_dark

    roles, _ = palette.read()
    codes = [
        roles["paper"][0],
        roles["ink"][0],
        roles["positive"][0],
        roles["negative"][0],
    ]
    pixels = [[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in codes]
    dark = jachess_dark.twin(np.array([pixels]), roles["paper"], roles["ink"])[
        0
    ].astype(int)
    for made, role in zip(dark, ("paper", "ink"), strict=False):
        code = roles[role][1]
        wanted = [int(code[i : i + 2], 16) for i in (1, 3, 5)]
        np.testing.assert_allclose(made, wanted, atol=2)
    assert dark[2].argmax() == 0  # red stays red
    assert dark[3].argmax() == 2  # blue stays blue
    assert dark[2:].mean() > np.array(pixels[2:]).mean()
