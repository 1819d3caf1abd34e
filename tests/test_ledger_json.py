"""ledger.json says what the ledger says, and what it names exists."""

import importlib
import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from book._ext import jachess_ledger

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def equations():
    return jachess_ledger.ledger()["equations"]


def test_every_labelled_equation_is_there_once(equations):
    labels = [equation["label"] for equation in equations]
    assert sorted(labels) == sorted(jachess_ledger.chapters())
    assert jachess_ledger.ledger()["count"] == len(labels) == len(set(labels))


def test_the_verdicts_are_those_of_the_ledger(equations):
    for equation in equations:
        assert set(equation["witnesses"]) == set(jachess_ledger.WITNESSES)
        for name, witness in equation["witnesses"].items():
            assert witness["agrees"] is True
            assert witness["verdict"].startswith("✓"), name
        assert equation["planted_mistake_caught"] is True


def test_a_verdict_that_fails_is_no_agreement(monkeypatch, equations):
    label = equations[0]["label"]
    row = (label, "a = b", ["✗", "✗ order None", "✓", "✓", "—", "✗"])
    monkeypatch.setattr(jachess_ledger, "rows", lambda: iter([row]))
    (equation,) = jachess_ledger.ledger()["equations"]
    agrees = [witness["agrees"] for witness in equation["witnesses"].values()]
    assert agrees == [False, False, True, True]
    assert equation["planted_mistake_caught"] is False
    assert equation["proved_digits"] is None


def test_digits_are_proved_where_a_plain_body_computes_by_the_equation(equations):
    proved = {e["label"]: e["proved_digits"] for e in equations if e["proved_digits"]}
    assert len(proved) > 50
    assert min(proved.values()) >= 14
    for equation in equations:
        module = equation["module"]
        without = module is None or module.endswith(("differences", "spectrum"))
        # places and counts, which are whole numbers; weights that a rule has chosen;
        # and what an iteration finds, such as singular vectors
        without |= equation["label"] in {
            "eq-network-index", "eq-inverse-pinned", "eq-inverse-delete",
            "eq-kronecker-nearest", "eq-language-model-null",
            "eq-language-model-shampoo",
        }  # fmt: skip
        assert (equation["label"] not in proved) == without, equation["label"]


def test_a_statement_keeps_its_bars(equations):
    (best,) = [e for e in equations if e["label"] == "eq-differences-best-step"]
    assert "|f|" in best["statement"]
    assert "✓" not in best["statement"]


def test_what_it_names_exists(equations):
    named = [equation for equation in equations if equation["function"]]
    assert len(named) > 30
    for equation in equations:
        assert (ROOT / equation["test"]).exists()
        if equation["function"]:
            module = importlib.import_module(equation["module"])
            holders = [
                module,
                *filter(lambda o: isinstance(o, type), vars(module).values()),
            ]
            assert any(hasattr(holder, equation["function"]) for holder in holders)


@pytest.mark.book
def test_it_lies_beside_the_ledger_and_its_addresses_lead_there(html, equations):
    text = (html / "book" / "ledger.json").read_text(encoding="utf-8")
    assert json.loads(text) == jachess_ledger.ledger()
    page = BeautifulSoup((html / "book/ledger.html").read_text("utf-8"), "lxml")
    link = page.find("link", rel="alternate", type="application/json")
    assert link["href"] == "ledger.json"
    pages = {}
    for equation in equations:
        name, _, anchor = equation["address"].partition("#")
        if name not in pages:
            pages[name] = BeautifulSoup((html / name).read_text("utf-8"), "lxml")
        assert pages[name].find(id=anchor), equation["address"]
