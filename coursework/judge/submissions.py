"""Find the submissions of a folder: one file for each student, and nothing else."""

import hashlib
import os
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from coursework.judge import notebook

# What operating systems and Jupyter leave behind, and nobody hands in.
LITTER = {".DS_Store", ".ipynb_checkpoints", "Thumbs.db", "desktop.ini", "__MACOSX"}
UNCLEAR = ".unclear"  # what `collect` cannot put to one student
ID_BYTES = 120  # so that the name of a page is no longer than a file system takes


@dataclass(frozen=True)
class Submission:
    """One student's file, or the reason why there is none that can be graded."""

    student: str
    path: Path
    refusal: str = ""

    def read(self):
        """Return the bytes of the file; raises `notebook.RefusedError`."""
        if self.refusal:
            raise notebook.RefusedError(self.refusal)
        return notebook.read(self.path)


def student_id(name):
    """Return a student's id from the name of a file: letters, digits and `._-@`.

    Two names may come to the same id; `collect` then tells them apart.
    """
    # A name of the file system that is no Unicode holds surrogates: not letters. The
    # signs of vowels are: without them रवि and रवी would be one.
    safe = "".join(
        c if unicodedata.category(c)[0] in "LMN" or c in "._-@" else "_"
        for c in _person(name)
    )
    return safe.lstrip(".").encode()[:ID_BYTES].decode(errors="ignore") or "unnamed"


def _person(name):
    """Return the part of a file's name that says who it is."""
    return unicodedata.normalize("NFC", Path(name).stem)


def collect(folder):
    """Return the submissions of a folder, one for each student, in order of ids.

    Names that differ in capitals alone are one student's, who then has two files. Any
    other two names are two students, whose ids are made to differ.
    """
    by_person = defaultdict(list)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name not in LITTER:
                by_person[_person(entry.name).lower()].append(entry)
    groups = [sorted(by_person[p], key=lambda e: e.name) for p in sorted(by_person)]
    # Whose id is their name as it stands has the first claim to it.
    groups.sort(key=lambda g: student_id(g[0].name) != _person(g[0].name))
    taken, found = set(), []
    for entries in groups:
        student = _unlike(taken, student_id(entries[0].name), _person(entries[0].name))
        taken.add(student.lower())
        found.append(_one(student, entries))
    return sorted(found, key=lambda submission: submission.student.casefold())


def _unlike(taken, student, person):
    """Return an id that nobody has, by a few digits that follow from the name alone."""
    digest = hashlib.sha256(person.encode(errors="surrogatepass")).hexdigest()
    tails = ("", *(f"-{digest[:n]}" for n in range(8, len(digest))))
    return next(student + t for t in tails if (student + t).lower() not in taken)


def _one(student, entries):
    """Return the submission of one student."""
    path = Path(entries[0].path)
    if len(entries) > 1:
        return Submission(student, path, f"there are {len(entries)} files of this name")
    return Submission(student, path, _refusal(entries[0]))


def _refusal(entry):
    if entry.is_symlink():
        return "this is a link, not a file"
    if not entry.is_file(follow_symlinks=False):
        return "this is not a file"
    if Path(entry.name).suffix == UNCLEAR:
        return "its name may be that of several students"
    if Path(entry.name).suffix.lower() != ".ipynb":
        return "the file is not a notebook (.ipynb)"
    return ""
