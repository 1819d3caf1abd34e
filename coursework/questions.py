"""What an assignment asks, in the form that its judge and its tests share.

Each assignment has a module `coursework/<name>/questions.py` with one `ASSIGNMENT`. It
runs in the judge alone: nothing of it goes to a student, nor into the sandbox.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Case:
    """One hidden call of the student's function.

    `label` goes into the feedback and must give nothing away: "a deeper network".
    Arguments are arrays, numbers, strings, or lists of these.
    """

    label: str
    arguments: tuple


@dataclass(frozen=True)
class Question:
    """One question that is marked by calling one function.

    `cases` draws fresh inputs from a generator; `reference` takes the arguments of a
    case and returns what is right, an array or a tuple of arrays. An answer counts if
    it has the same shape and |answer − right| ≤ atol + rtol · max|right|.
    """

    name: str
    title: str
    function: str
    points: int
    cases: Callable[[np.random.Generator], list[Case]]
    reference: Callable
    rtol: float = 1e-6
    atol: float = 1e-9


@dataclass(frozen=True)
class Written:
    """One question that a person marks, with the rubric of the assignment."""

    name: str
    title: str
    points: int = 3


@dataclass(frozen=True)
class Assignment:
    """One assignment: its questions, and the files that lie beside the notebook.

    `master` is the notebook with the solutions: functions of earlier questions are
    taken from it where a student's are wrong.
    """

    name: str
    title: str
    questions: tuple[Question | Written, ...]
    files: tuple[Path, ...] = field(default=())
    master: Path | None = None

    @property
    def judged(self):
        """The questions that are marked by calling a function."""
        return tuple(q for q in self.questions if isinstance(q, Question))

    @property
    def points(self):
        """The points that the judge can give."""
        return sum(q.points for q in self.judged)


def names():
    """Return the names of the assignments that there are."""
    here = Path(__file__).parent
    return sorted(path.parent.name for path in here.glob("*/questions.py"))
