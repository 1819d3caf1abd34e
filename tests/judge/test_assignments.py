"""The judge and the assignments agree: solved is full marks, a stub is nothing."""

import json
from pathlib import Path

import pytest
from judge.night import needs

from coursework.judge import exam, grade, report

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(p.parent.name for p in (ROOT / "coursework").glob("hw*/questions.py"))


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_scores_full_and_the_stub_nothing(name):
    from coursework import release

    needs("bubblewrap")
    drawn = exam.draw(exam.load(name), bytes(range(32)))
    solved, stub = (json.dumps(n).encode() for n in release.notebooks(name))
    result = grade.grade(drawn, solved)
    assert report.total(result) == drawn.points, result
    assert result["cells"] == []
    assert report.total(grade.grade(drawn, stub)) == 0
