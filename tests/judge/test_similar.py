"""Which submissions are alike: renamed copies are found, and no code is run."""

import pytest
from judge.night import needs
from judge.notebooks import honest, notebook

from coursework.judge import __main__, similar

ONE = """
import numpy as np

def jacobian(W, x):
    total = W[:, 0] + W[:, 1:] @ x
    slope = 1 - np.tanh(total) ** 2
    result = np.zeros((len(slope), len(x)))
    for k in range(len(slope)):
        for i in range(len(x)):
            result[k, i] = slope[k] * W[k, 1 + i]
    return result
"""
# The same with other names, and with remarks.
COPY = ONE.replace("total", "a").replace("slope", "steepness").replace("result", "J")
COPY = COPY.replace("    return", "    # all done\n\n    return")
OTHER = """
def jacobian(weights, point):
    bias, matrix = weights[:, :1], weights[:, 1:]
    act = (bias.ravel() + matrix.dot(point))
    return (1 / np.cosh(act)**2).reshape(-1, 1) * matrix
"""


def test_a_copy_with_other_names_comes_first():
    pairs = similar.compare({"ada": ONE, "bob": OTHER, "cyd": COPY, "dee": ""})
    assert pairs[0][3:] == ("ada", "cyd")
    assert pairs[0][0] == pytest.approx(1.0)
    assert max(pair[0] for pair in pairs[1:]) < 0.3
    assert len(pairs) == 3  # who wrote nothing is compared with nobody


def test_what_the_notebook_gave_is_left_out():
    stub = 'def forward(W, x):\n    """Return the outputs of a network, (K,)."""\n' * 3
    texts = {"ada": stub + ONE, "bob": stub + OTHER}
    (with_it,) = similar.compare(texts)
    (without,) = similar.compare(texts, stub)
    assert without[0] < 0.3 < with_it[0]


@pytest.mark.parametrize(
    "text", ["'" * 999, "\0\x1b\u202e\ud800", "(" * 9999, "é" * 300_000, "def " * 9999]
)
def test_any_text_can_be_compared(text):
    assert len(similar.compare({"ada": text, "bob": text})) == 1


def test_what_comes_to_no_end_is_said(monkeypatch):
    monkeypatch.setattr(similar, "BYTES", 1 << 20)
    with pytest.raises(similar.ComparingError):
        similar.compare({"ada": ONE, "bob": ONE})


def test_the_page_is_inert(drawn):
    texts = {"ada": "</pre><script>1\x1b[31m", "<i>": "x"}
    page = similar.page(drawn, [(0.9, 0.9, 0.8, "ada", "<i>")], texts)
    body = page.split("<body>")[1]
    assert "<script" not in body
    assert "<i>" not in body
    assert "\x1b" not in body
    assert "ada (90%) and &lt;i&gt; (80%)" in body
    assert "no two of them" in similar.page(drawn, [], {})


def test_a_class_is_compared(term, capsys):
    needs("bubblewrap")
    place = term / "toy"
    (place / "submissions" / "eve.ipynb").write_bytes(notebook(*honest(), "# mine"))
    assert __main__.main(["similar", "judge.toy", str(term)]) == 0
    assert "pairs compared; see" in capsys.readouterr().out
    page = (place / "similar.html").read_text(encoding="utf-8")
    assert "ada (100%) and eve (" in page
    assert "cyd" not in page
