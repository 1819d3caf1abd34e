"""A term: the roster, marks by hand, late work, totals, and nothing that is lost."""

import csv
import json
from datetime import datetime

import numpy as np
import pytest
from judge.night import needs
from judge.notebooks import STUB, cell, honest, notebook

from coursework.judge import __main__, book, grade, policy, statistics, written
from coursework.judge import term as terms

QUESTION = cell("**Question w1** (3 points, written). Why?", "markdown")
ANSWER = cell(
    "Because <b>it</b> is.\n\n$x$ \x1b[31m\u202e\n</pre><script>1", "markdown"
)
LATER = cell("**Question 9**", "markdown")


@pytest.fixture(scope="module", autouse=True)
def isolation():
    needs("bubblewrap")


def judge(command, term, *options):
    """Run the command line on a term."""
    return __main__.main([command, "judge.toy", str(term), *options])


def table(path):
    """Return the rows of a table by student."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {row["student"]: row for row in csv.DictReader(lines)}


def put(term, name, text):
    """Write a file of a term."""
    (term / name).write_text(text, encoding="utf-8")


def test_who_hands_in_nothing_has_a_row(term):
    put(term, "roster.csv", "id,name,email\nada,Ada L.,a@x\neve,Eve,e@x\n")
    assert judge("run", term) == 0
    rows = table(term / "toy" / "grades.csv")
    assert list(rows) == ["ada", "bob", "cyd", "eve"]
    assert rows["ada"]["name"] == "Ada L."
    assert rows["eve"]["email"] == "e@x"
    assert rows["eve"]["total"] == "0"
    assert rows["eve"]["status"] == "nothing was handed in"
    page = (term / "toy" / "feedback" / "eve.html").read_text()
    assert "Not graded: nothing was handed in" in page
    assert (
        "Ada L.: <strong>10 of 10"
        in (term / "toy" / "feedback" / "ada.html").read_text()
    )


def test_the_roster_knows_a_platform_s_numbers(term):
    place = term / "toy" / "submissions"
    (place / "ada.ipynb").rename(place / "canvas-17.ipynb")
    (place / "bob.ipynb").rename(place / "moodle-18.ipynb")
    put(term, "roster.csv", "id,name,email\n17,Ada,a@x\n18,Bob,b@x\n")
    judge("run", term)
    rows = table(term / "toy" / "grades.csv")
    assert {s: r["name"] for s, r in rows.items()} == {
        "canvas-17": "Ada", "cyd": "", "moodle-18": "Bob",
    }  # fmt: skip


def test_marks_by_hand_are_kept_whatever_is_graded(term, capsys):
    place, marks = term / "toy", term / "toy" / "written.csv"
    assert judge("mark", term) == 0
    assert "3 new lines" in capsys.readouterr().out
    text = marks.read_text().replace("ada,w1,,", "ada,w1,2.5,clear <b>")
    marks.write_text(text.replace("bob,w1,,", 'bob,w1,"1,5",'))
    before = marks.read_bytes()
    for command in ("run", "regrade", "mark", "run"):
        assert judge(command, term) == 0
        assert marks.read_bytes() == before
    rows = table(place / "grades.csv")
    assert (rows["ada"]["w1"], rows["ada"]["total"], rows["ada"]["of"]) == (
        "2.5", "12.5", "13",
    )  # fmt: skip
    assert (rows["bob"]["total"], rows["cyd"]["w1"]) == ("1.5", "")
    page = (place / "feedback" / "ada.html").read_text()
    assert "12.5 of 13 points" in page
    assert "<td>2.5 of 3</td><td>clear &lt;b&gt;</td>" in page
    assert "ada,,,ada,,12.5" in (place / "canvas.csv").read_text()
    (place / "submissions" / "new.ipynb").write_bytes(notebook(*STUB, "# new"))
    judge("mark", term)
    assert marks.read_bytes() == before + b"new,w1,,\n"


WRONG_MARKS = {
    "a question": ("ada,w9,1,", "no written question w9; w1"),
    "a text": ("ada,w1,two,", "two points for ada; from 0 to 3"),
    "too many": ("ada,w1,4,", "4 points for ada"),
    "fewer than none": ("ada,w1,-1,", "-1 points"),
    "no number": ("ada,w1,nan,", "nan points"),
    "twice": ("ada,w1,1,\nada,w1,2,", "w1 of ada is marked twice"),
    "a stranger": ("zoe,w1,1,", "marks for zoe, who is no student here"),
}


@pytest.mark.parametrize("wrong", WRONG_MARKS)
def test_a_mark_that_cannot_be_is_refused_and_nothing_is_written(term, wrong, capsys):
    lines, says = WRONG_MARKS[wrong]
    put(term / "toy", "written.csv", f"student,question,points,comment\n{lines}\n")
    assert judge("run", term) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "written.csv" in error
    assert not (term / "toy" / "grades.csv").exists()
    assert judge("status", term) == 0
    assert "2 graded" in capsys.readouterr().out  # and the grading is not lost


def test_a_table_without_its_columns_is_refused(term, capsys):
    put(term / "toy", "written.csv", "name;points\n")
    assert judge("run", term) == 2
    assert "no column student, question" in capsys.readouterr().err
    (term / "toy" / "written.csv").write_bytes(b"student,question\n\xff\n")
    assert judge("run", term) == 2
    assert "CSV UTF-8" in capsys.readouterr().err


def test_answers_are_read_in_the_sandbox():
    w1 = cell("**Question 1** (3 points, written). Why?", "markdown")
    data = notebook(*honest(), w1, ANSWER, cell("more", "markdown"), LATER, ANSWER)
    with (
        grade.sandbox.slot() as uid,
        grade.sandbox.start(grade.sandbox.level(), grade.view.build(), uid) as process,
    ):
        text = written.notebook.written_answers(process, data, ["q1", "q7"])
    assert text["q7"] == ""
    assert text["q1"].startswith("Because <b>it</b> is.")
    assert text["q1"].endswith("\n\nmore")
    shown = written.lines(text["q1"])
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_the_page_of_answers_is_inert(drawn):
    texts = {"ada": "".join(ANSWER["source"]), "<i>": "x" * 30_000}
    page = written.page(drawn, "w1", texts, "written.csv")
    body = page.split("<body>")[1]
    assert "<script" not in body
    assert "&lt;b&gt;it&lt;/b&gt;" in body
    assert "<i>" not in body
    assert "2 answers" in body
    assert len(page) < 25_000


POLICY = """
[late]
per_day = 10
grace_minutes = 15
last_day = 3
[due]
toy = 2026-10-12T12:00:00+02:00
[extensions]
bob = { toy = 2 }
[term]
drop_lowest = 1
"""


def test_late_work_loses_what_the_policy_says(term):
    put(term, "policy.toml", POLICY)
    header = "student,name,file,attempt,handed_in,kept,why\n"
    lines = [
        "ada,,f,1,2026-10-12T12:10,ada.ipynb,",
        "bob,,f,1,2026-10-14T12:00,bob.ipynb,",
        "cyd,,f,1,2026-10-20T12:00,cyd.txt,",
    ]
    put(term / "toy", "collected.csv", header + "\n".join(lines) + "\n")
    judge("run", term)
    rows = table(term / "toy" / "grades.csv")
    assert [r["days late"] for r in rows.values()] == ["0", "0", "8"]
    lines[0] = "ada,,f,1,2026-10-13T12:20,ada.ipynb,"
    put(term / "toy", "collected.csv", header + "\n".join(lines) + "\n")
    judge("run", term)
    rows = table(term / "toy" / "grades.csv")
    assert (rows["ada"]["days late"], rows["ada"]["total"]) == ("2", "8")
    page = (term / "toy" / "feedback" / "ada.html").read_text()
    assert "2 days late, 10 % less for each" in page
    assert (
        "after 3 nothing counts" in (term / "toy" / "feedback" / "cyd.html").read_text()
    )


def test_an_extension_goes_by_the_id_of_the_roster_too(term):
    place = term / "toy" / "submissions"
    (place / "ada.ipynb").rename(place / "canvas-17.ipynb")
    put(term, "roster.csv", "id,name,email\n17,Ada,a@x\n")
    put(term, "policy.toml", POLICY.replace("bob =", "17 ="))
    header = "student,name,file,attempt,handed_in,kept,why\n"
    lines = (
        "canvas-17,,f,1,2026-10-14T12:00,canvas-17.ipynb,\n"
        "canvas-17,,f,1,2026-10-30T12:00,canvas-17.ipynb,the same bytes again\n"
    )
    put(term / "toy", "collected.csv", header + lines)
    judge("run", term)
    assert table(term / "toy" / "grades.csv")["canvas-17"]["days late"] == "0"


def test_a_time_with_a_zone_and_one_without_are_compared():
    late = policy.Policy(due={"hw1": datetime(2026, 10, 12, 12)})
    zone = datetime.fromisoformat("2026-10-13T13:00+02:00")
    assert late.lateness("hw1", "ada", zone) == 2


def test_the_share_that_is_left():
    rules = policy.Policy(per_day=40)
    assert [rules.share(days) for days in range(4)] == pytest.approx([1, 0.6, 0.2, 0])
    assert policy.Policy(per_day=10, last_day=2).share(3) == 0
    assert policy.Policy().share(99) == 1


WRONG_POLICY = {
    "no TOML": ("[late", "policy.toml"),
    "another table": ("[lates]\n", "there is no [lates]"),
    "another rule": ("[late]\nper_week = 1\n", "[late] knows no per_week"),
    "a text": ("[late]\nper_day = 'x'\n", "per_day is 'x'"),
    "a truth": ("[late]\nper_day = true\n", "per_day is True"),
    "below nothing": ("[term]\ndrop_lowest = -1\n", "drop_lowest is -1"),
    "no time": ("[due]\ntoy = 2026-10-12\n", "due.toy is no date with a time"),
    "no days": ("[extensions]\nada = 2\n", "extensions.ada wants days"),
    "no table": ("late = 3\n", "[late] is a table"),
}


@pytest.mark.parametrize("wrong", WRONG_POLICY)
def test_a_policy_that_cannot_be_is_refused(tmp_path, wrong):
    text, says = WRONG_POLICY[wrong]
    put(tmp_path, "policy.toml", text)
    with pytest.raises(terms.TermError) as caught:
        policy.read(tmp_path / "policy.toml")
    assert says in str(caught.value)


def test_the_policy_of_a_new_term_does_nothing(term):
    assert policy.read(term / "policy.toml") == policy.Policy()


def test_totals_leave_out_the_worst(term, capsys):
    put(term, "policy.toml", POLICY)
    put(term, "roster.csv", "id,name,email\nada,Ada,a@x\neve,Eve,e@x\n")
    assert __main__.main(["totals", str(term)]) == 2
    assert "no assignment is graded yet" in capsys.readouterr().err
    judge("run", term)
    (term / "hw9").mkdir()
    put(term / "hw9", "grades.csv", "student,total,of\nada,5,10\nbob,8,10\n")
    assert __main__.main(["totals", str(term)]) == 0
    rows = table(term / "totals.csv")
    assert (rows["ada"]["per cent"], rows["ada"]["left out"]) == ("100", "hw9")
    assert (rows["bob"]["per cent"], rows["bob"]["left out"]) == ("80", "toy")
    assert rows["eve"]["per cent"] == "0"
    put(term, "policy.toml", "")
    __main__.main(["totals", str(term)])
    assert table(term / "totals.csv")["ada"]["per cent"] == "75"


def test_regrading_says_what_has_changed(term, capsys):
    judge("run", term)
    book = term / "toy" / "grades.log.jsonl"
    records = [json.loads(line) for line in book.read_text().splitlines()]
    for record in records:
        if record["student"] == "ada":
            record["result"]["questions"]["q1"]["points"] = 1
    book.write_text("".join(json.dumps(r) + "\n" for r in records))
    capsys.readouterr()
    assert judge("regrade", term, "--student", "ada") == 0
    assert "ada: 8 then, 10 now" in capsys.readouterr().out
    assert judge("regrade", term, "--student", "bob") == 0
    assert "bob: 0, as before" in capsys.readouterr().out
    assert table(term / "toy" / "grades.csv")["ada"]["total"] == "10"


def test_what_is_not_graded_cannot_be_verified(term, capsys):
    assert judge("verify", term) == 2
    assert "Nothing is graded yet" in capsys.readouterr().err


def test_another_assignment_s_notebook_is_noticed(tmp_path, capsys):
    term = tmp_path / "term"
    terms.new(term)
    folder = term / "hw1" / "submissions"
    folder.mkdir(parents=True)
    body = "def lm_step(J): ...\ndef outer_product(J): ...\n"
    (folder / "ada.ipynb").write_bytes(notebook(body))
    (folder / "bob.ipynb").write_bytes(notebook("def tanh_slope(a): return 1"))
    assert __main__.main(["run", "hw1", str(term)]) == 0
    words = capsys.readouterr().out
    assert "ada has no function of hw1: it looks like hw4." in words
    assert "bob has no" not in words


def test_a_roster_that_cannot_be_is_refused(term, capsys):
    for text, says in (
        ("id,name\nada,A\nada,B\n", "line 3: the id ada is there twice"),
        ("id,name\n,B\n", "line 2: the id  is empty"),
        ("name\nB\n", "no column id; there are name"),
    ):
        put(term, "roster.csv", text)
        assert judge("run", term) == 2
        assert says in capsys.readouterr().err


def test_a_cell_that_is_not_text_has_no_answer(term):
    broken = {"cell_type": "markdown", "source": 3}
    data = notebook(*honest(), QUESTION, broken)
    (term / "toy" / "submissions" / "ada.ipynb").write_bytes(data)
    assert judge("mark", term) == 0
    page = (term / "toy" / "written" / "w1.html").read_text()
    assert "holds no text" in page
    assert "the file is not a notebook" in page


def row_of(drawn, student, points, reasons):
    """Return a graded student with these points and reasons."""
    result = grade.refused(drawn, "no") | {"status": grade.GRADED}
    marks = result["questions"].values()
    for mark, p, reason in zip(marks, points, reasons, strict=True):
        mark |= {"points": p, "reason": reason}
    return book.Row(student, "", "", result, {})


def test_the_class_is_shown_question_by_question(drawn):
    wrong = "a deeper network: the answer has the right shape, but not the values"
    points = [(3, 4, 1, 2), (0, 4, 0, 2), (0, 0, 0, 2), (1.5, 4, 1, 2), (0, 4, 0, 2)]
    rows = [
        row_of(drawn, f"s{n}<b>", p, [wrong if x == 0 else "" for x in p])
        for n, p in enumerate(points)
    ]
    absent = book.Row("zoe", "", "", grade.refused(drawn, "no"), {})
    page = statistics.page(drawn, book.Book((*rows, absent), 10))
    assert "5 graded; points of the judge alone, 6.5 of 10 in the mean." in page
    assert "30%</td>" in page  # 4.5 of 15
    assert f"3 × {wrong} (s1&lt;b&gt;, s2&lt;b&gt;, s4&lt;b&gt;)" in page
    assert "zoe" not in page
    _, table = statistics.points_of(drawn, book.Book(tuple(rows), 10))
    parts = statistics.discrimination(table)
    assert np.isnan(parts[3])  # all have it right
    rest = table[:, 1:].sum(axis=1) - table[:, 1:].sum(axis=1).mean()
    own = table[:, 0] - table[:, 0].mean()
    right = (own @ rest) / np.sqrt((own @ own) * (rest @ rest))
    assert parts[0] == pytest.approx(right)


def test_a_class_of_none_and_of_one_has_a_page(drawn):
    for rows in ((), (row_of(drawn, "ada", (3, 4, 1, 2), [""] * 4),)):
        page = statistics.page(drawn, book.Book(rows, 10))
        assert f"{len(rows)} graded" in page
        assert "nan" not in page.casefold()


def test_a_run_leaves_the_page_of_the_class(term):
    judge("run", term)
    assert "2 graded" in (term / "toy" / "statistics.html").read_text()
