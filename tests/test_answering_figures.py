"""The figures that answer: their weights are current; they are small; they are true.

What they draw and compute in a browser is tested in tests/browser.
"""

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest

import jachess_lib as jl
from book._tools.figures import FIGURES, NAMES, STILLS, landing, networks

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def placed():
    """Return (chapter, text of the cell, figure) for each figure of the chapters."""
    found = []
    for chapter in CHAPTERS:
        for cell in json.loads(chapter.read_text(encoding="utf-8"))["cells"]:
            text = "".join(cell["source"])
            for name in re.findall(r"```\{answering-figure\} (\S+)", text):
                found.append((chapter.stem, text, name))
    return found


def still(name):
    return (STILLS / f"{name}.html").read_text(encoding="utf-8")


def test_the_weights_are_those_of_the_library():
    stored = (FIGURES / "networks.json").read_text(encoding="utf-8")
    assert stored == networks(), "run 'python -m book._tools.figures'"


def test_all_of_it_is_small():
    """What a page may load, compressed: modules, styles and weights.

    And what it loads besides when a reader presses "check here" for the first time.
    """
    files = [path for path in FIGURES.iterdir() if path.is_file()]
    assert {f"{name}.mjs" for name in NAMES} < {path.name for path in files}
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in files}
    shared = ("checks", "chance.", "curved.", "solving.")
    asked = sum(size for name, size in sizes.items() if name.startswith(shared))
    print(f"{sum(sizes.values()) - asked} bytes compressed, {asked} when asked")
    assert sum(sizes.values()) - asked < 50_000
    assert asked < 25_000


@pytest.mark.parametrize("name", NAMES)
def test_latex_can_read_a_still(name):
    """XeTeX looks for the end of a PDF in its last line."""
    end = (STILLS / f"{name}.pdf").read_bytes().splitlines()[-3:]
    assert (end[0], end[2]) == (b"startxref", b"%%EOF")


def test_a_module_imports_modules_beside_it_alone():
    for path in FIGURES.glob("*.mjs"):
        text = path.read_text(encoding="utf-8")
        sources = re.findall(r'(?:from|import\() *["`]([^"`]+)', text)
        assert all(source.startswith("./") for source in sources), path.name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), path.name
        assert "innerHTML" not in text, path.name


def test_the_chapters_have_their_figures():
    found = {}
    for chapter, _, name in placed():
        found.setdefault(chapter[:2], []).append(name)
    expected = {
        "01": ["two-wires"],
        "02": ["valley"],
        "04": ["softmax-triangle"],
        "06": ["the-v"],
        "07": ["valley", "two-wires"],
        "08": ["valley"],
        "09": ["push"],
        "13": ["two-rates"],
    }
    assert expected.items() <= found.items()


@pytest.mark.parametrize(("chapter", "text", "name"), placed())
def test_a_figure_comes_with_words(chapter, text, name):
    before, block = text.split("```{answering-figure}")
    assert len(before.split()) > 20, "what to try, and what one sees"
    slug = chapter[3:].replace("_", "-")
    assert f":name: fig-{slug}-{name}\n" in block
    alt = re.search(r":alt: (.+)\n", block)[1]
    assert len(alt) > 80
    assert len(block.split("\n\n", 1)[1]) > 60  # the caption


# What the stills show are numbers of the library.


def texts(name):
    return re.findall(r">([^<>]+)</t(?:ext|span)>", still(name))


def number(value, digits=2):
    return f"{value:.{digits}f}".replace("-", "−")


def test_the_still_of_two_wires():
    net, X, T = landing()
    H = jl.exact_hessian(net, X, T)
    row, column = net.index(1, 1, 3), net.index(0, 2, 2)
    assert f"H[{row}, {column}] = {number(H[row, column], 3)}" in texts("two-wires")
    assert still("two-wires").count("fill-opacity") == 26 * 26


def test_the_still_of_the_softmax_triangle():
    M = jl.OUTPUT_UNITS["softmax"].dy_da(np.log([[1.0, 2.0, 3.0]]))[0]
    assert {number(value, 3) for value in M.ravel()} < set(texts("softmax-triangle"))


def test_the_still_of_the_backward_wave():
    net, X, _ = landing()
    J = jl.input_jacobian(net, X[:1].round(1))[0]
    assert {number(value) for value in J[0]} < set(texts("backward-wave"))


def test_the_still_of_the_v():
    def cube(x):
        return x * x * x

    forward, central = (
        way(cube, 2.0, 1.0) for way in (jl.forward_difference, jl.central_difference)
    )
    aside = ((2 + 1j) ** 3).imag
    found = "".join(texts("the-v"))
    assert "ε = 1.0" in found
    for estimate in (forward, central, aside):
        assert f"{estimate:.15f}" in found


def test_the_still_of_the_valley():
    assert "eigenvalues of H: −0.93, 13.93" in texts("valley")
    for entry in ("9.0", "7.0", "4.0", "6.0"):
        assert entry in texts("valley")


def test_the_still_of_the_push():
    assert {"(4.000, 3.000)", "(4.000, 3.600)"} < set(texts("push"))


def test_the_still_of_the_two_rates():
    assert {"−0.80, ▼ shrinks", "0.70, ▼ shrinks"} < set(texts("two-rates"))


# What the chapters ask the reader to see.


def test_two_outputs_share_no_curvature_and_one_layer_has_no_feed():
    net, X, T = landing()
    H = jl.exact_hessian(net, X, T)
    first, second = (slice(net.index(1, k, 0), net.index(1, k, 4) + 1) for k in (0, 1))
    assert np.abs(H[first, second]).max() == 0
    z, M = jl.forward(net, X).z[1], np.eye(2)  # of linear outputs
    whole = np.einsum("jq,ni,np->jiqp", M, z, z).reshape(10, 10)
    assert np.allclose(H[net.slices[1], net.slices[1]], whole, rtol=1e-12)


def curvature(w_1, w_2):
    net = jl.Network((1, 1, 1), [0, w_1, 0, w_2], hidden="identity")
    two, data = np.ix_([1, 3], [1, 3]), ([[1.0]], [[5.0]])
    g = jl.error_gradient(net, *data)[[1, 3]]
    return net, data, jl.exact_hessian(net, *data)[two], g


def test_newton_heads_uphill_in_the_lowest_band_alone():
    rng = np.random.default_rng(0)
    for w_1, w_2 in rng.uniform(0.05, 4.4, (500, 2)):
        net, data, H, g = curvature(w_1, w_2)
        y, step = w_1 * w_2, -np.linalg.solve(H, g)
        assert (np.linalg.eigvalsh(H)[0] > 0) == (5 / 3 < y < 5)
        assert (g @ step > 0) == (y < 5 / 3)
        assert np.allclose(step, (5 - y) / (3 * y - 5) * np.array([w_1, w_2]))
        G = jl.outer_product_hessian(net, data[0])[np.ix_([1, 3], [1, 3])]
        assert g @ -np.linalg.solve(G + 0.01 * np.eye(2), g) < 0
        assert np.allclose(H - G, (y - 5) * np.array([[0, 1], [1, 0]]))


def test_the_mark_is_where_the_grey_step_stops_to_help():
    rng = np.random.default_rng(1)
    for w_1 in rng.uniform(1.2, 4.2, 50):
        w = np.array([w_1, 4.95 / w_1])  # beside the valley
        net, data, _, g = curvature(*w)
        for share, better in ((0.8, True), (1.2, False)):
            step = -share * 2 / (w @ w) * g
            to = net.with_parameters(net.w + np.array([0, step[0], 0, step[1]]))
            assert (jl.error(to, *data) < jl.error(net, *data)) == better


def test_the_digits_that_differences_reach():
    def cube(x):
        return x * x * x

    def right(estimate):
        missed = abs(estimate - 12) / 12
        return 17 if missed == 0 else max(0, int(np.floor(-np.log10(missed))))

    steps = 10.0 ** -(np.arange(321) / 20)
    forward = [right((cube(2 + e) - 8) / e) for e in steps]
    central = [right((cube(2 + e) - cube(2 - e)) / (2 * e)) for e in steps]
    aside = [right(((2 + 1j * e) ** 3).imag / e) for e in steps]
    assert max(forward) == 8
    assert abs(np.log10(steps[np.argmax(forward)]) + 8) < 1
    assert max(central) == 12
    assert abs(np.log10(steps[np.argmax(central)]) + 5) < 0.1
    assert forward[-1] == central[-1] == 0
    assert min(aside[180:]) >= 15


def test_where_v_and_its_product_line_up():
    net = jl.Network((1, 1, 1), [0, 1, 0, 2], hidden="identity")
    H = jl.exact_hessian(net, [[1.0]], [[1.0]])[np.ix_([1, 3], [1, 3])]
    assert H.tolist() == [[4, 3], [3, 1]]
    values, vectors = np.linalg.eigh(H)
    angles = np.degrees(np.arctan2(vectors[1], vectors[0])) % 180
    assert angles.round().tolist() == [122, 32]
    assert values[0] < 0 < values[1]


def test_near_a_corner_the_columns_die():
    unit = jl.OUTPUT_UNITS["softmax"]
    sizes = [np.abs(unit.dy_da(np.array([[a, 0.0, 0.0]]))).max() for a in (0, 3, 6, 9)]
    assert (np.diff(sizes) < 0).all()
    assert sizes[-1] < 1e-3


def test_where_all_units_saturate_the_jacobian_fades():
    net = landing()[0]
    for end in (-3, 3):
        x = [[end] * 3]
        assert net.hidden[0].dh(jl.forward(net, x).a[0]).max() < 1e-3
        assert np.abs(jl.input_jacobian(net, x)).max() < 1e-3


def test_the_marks_of_the_two_rates():
    def after(eta, w, steps=12):
        H = np.array([[5.0, 2.0], [2.0, 2.0]])
        for _ in range(steps):
            w = w - eta * H @ w
        return w

    along = np.array([[1, -2], [2, 1]]) / 5**0.5
    rates = np.linspace(0.001, 0.4, 400)
    slower = [max(abs(1 - eta * value) for value in (1, 6)) for eta in rates]
    assert abs(rates[np.argmin(slower)] - 2 / 7) < 1e-3
    for w in np.random.default_rng(0).uniform(-1.6, 1.6, (20, 2)):
        steep = abs(along @ w)[1]
        assert abs(along @ after(0.33, w))[1] < steep < abs(along @ after(0.34, w))[1]
    for u in along:  # whoever starts on one of the lines stays there
        assert abs(np.linalg.det([u, after(0.3, u)])) < 1e-12
    on_the_flat = after(0.34, along[0])
    assert np.linalg.norm(on_the_flat) < 1e-2  # beyond the limit, and yet it arrives
