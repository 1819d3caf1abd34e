"""The bank of questions: keys that hold, wrong options that differ, valid files."""

import io
import zipfile
from itertools import combinations
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from coursework.bank.__main__ import main
from coursework.bank.draw import TEMPLATES, bank
from coursework.bank.moodle import moodle
from coursework.bank.qti import SPACE, package, qti
from coursework.bank.question import UnusableError, number, question
from coursework.bank.valid import check

COUNT = 2 * len(TEMPLATES)


@pytest.fixture(scope="module")
def drawn():
    """Return a bank in which each template is a number once and a choice once."""
    return bank(COUNT, 5)


def test_each_template_comes_as_a_number_and_as_a_choice(drawn):
    assert len(TEMPLATES) >= 12
    assert len({q.name for q in drawn}) == COUNT
    for n in range(len(TEMPLATES)):
        kinds = {q.choices is None for q in drawn[n :: len(TEMPLATES)]}
        assert kinds == {True, False}, TEMPLATES[n].__name__


def test_no_two_options_are_equal_to_within_the_tolerance(drawn):
    for q in drawn:
        values = [q.key, *(w.value for w in q.wrong)]
        assert len(q.wrong) >= 3, q.name
        for a, b in combinations(values, 2):
            assert abs(a - b) > 2 * q.tolerance or abs(a - b) > 0.01 * abs(a), q.name
            assert number(a) != number(b), q.name
        assert len({w.name for w in q.wrong}) == len(q.wrong)
        if q.choices:
            assert sorted(map(str, q.choices)) == sorted(map(str, (None, *q.wrong)))


def test_the_same_seed_gives_the_same_files_and_another_others(drawn):
    again = bank(COUNT, 5)
    assert moodle(again, "b") == moodle(drawn, "b")
    assert package(again, "b") == package(drawn, "b")
    other = bank(COUNT, 6)
    assert all(a.text != b.text for a, b in zip(drawn, other, strict=True))


def test_right_options_stand_in_every_place():
    places = {
        q.choices.index(None) for seed in range(4) for q in bank(15, seed) if q.choices
    }
    assert len(places) >= 4


def test_the_files_are_valid(drawn):
    check("moodle", moodle(drawn, "b & c"))
    check("qti12", qti(drawn, "b & c"))


@pytest.mark.parametrize("name", ["moodle", "qti12"])
def test_a_schema_refuses_a_broken_file(drawn, name):
    text = {"moodle": moodle, "qti12": qti}[name](drawn[:2], "b")
    with pytest.raises(ValueError, match=rf"{name}\.rng refuses line \d+"):
        check(name, text.replace("feedback", "feedbak"))


def test_keys_survive_in_both_formats(drawn):
    root = ET.fromstring(moodle(drawn, "b"))
    for q, element in zip(drawn, root.findall("question")[1:], strict=True):
        (right,) = element.findall("answer[@fraction='100']")
        assert np.isclose(float(right.findtext("text")), q.key, rtol=1e-3)
    items = ET.fromstring(qti(drawn, "b")).findall(f".//{{{SPACE}}}item")
    for q, item in zip(drawn, items, strict=True):
        within = {"s": SPACE}
        (right,) = [
            c for c in item.findall(".//s:respcondition", within)
            if c.findtext("s:setvar", "", within) == "100"
        ]  # fmt: skip
        if q.choices:
            ident = right.findtext(".//s:varequal", "", within)
            label = item.find(f".//s:response_label[@ident='{ident}']", within)
            assert label.findtext(".//s:mattext", "", within) == number(q.key)
        else:
            low = float(right.findtext(".//s:vargte", "", within))
            assert low < q.key < float(right.findtext(".//s:varlte", "", within))


def test_what_a_question_shows_as_code_runs_and_gives_the_key(drawn):
    root, with_code = ET.fromstring(moodle(drawn, "b")), 0
    for q, element in zip(drawn, root.findall("question")[1:], strict=True):
        page = ET.fromstring(f"<div>{element.findtext('questiontext/text')}</div>")
        if page.find("pre") is not None:
            space = {"np": np}
            exec(page.findtext("pre"), space)
            assert np.isclose(space["shown"], q.key, rtol=1e-9), q.name
            assert page.find("p/code").text == "shown"
            with_code += 1
        assert "```" not in "".join(page.itertext())
    assert with_code == 12


def test_witnesses_that_differ_are_refused():
    rng, wrong = np.random.default_rng(0), [("a", 1.0, "."), ("b", 4.0, ".")]
    with pytest.raises(ValueError, match="the witnesses differ"):
        question("q", "A title", "?", (2.0, 2.001), wrong, rng, False)
    with pytest.raises(UnusableError, match="only 2 distractors"):
        question("q", "A title", "?", (2.0, 2.0), wrong, rng, False)


def test_the_command_writes_both_files(tmp_path, capsys):
    assert main(["3", "9"], tmp_path) == 0
    assert "3 questions of seed 9" in capsys.readouterr().out
    data = (tmp_path / "bank" / "qti-9.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.namelist() == ["imsmanifest.xml", "bank/bank.xml"]
        check("qti12", packed.read("bank/bank.xml").decode())
    check("moodle", (tmp_path / "bank" / "moodle-9.xml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "N and SEED are wanted, and 0 were given"),
        (["0", "1"], "N is a whole number from 1 to 1000, and '0' is not"),
        (["5", "x"], "SEED is a whole number from 0"),
    ],
)
def test_a_wrong_command_says_what_to_do(arguments, says, tmp_path, capsys):
    assert main(arguments, tmp_path) == 2
    told = capsys.readouterr().err
    assert says in told
    assert "make bank N=40 SEED=1" in told
    assert not list(tmp_path.iterdir())
