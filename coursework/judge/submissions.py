"""Find the submissions of a folder: one file for each student, and nothing else."""

import os
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from coursework.judge import notebook

# What operating systems and Jupyter leave behind, and nobody hands in.
LITTER = {".DS_Store", ".ipynb_checkpoints", "Thumbs.db", "desktop.ini", "__MACOSX"}
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
    """Return a student's id from the name of a file: letters, digits and `._-@`."""
    # A name of the file system that is no Unicode holds surrogates: not alphanumeric.
    stem = unicodedata.normalize("NFKC", Path(name).stem)
    safe = "".join(c if c.isalnum() or c in "._-@" else "_" for c in stem)
    return safe.lstrip(".").encode()[:ID_BYTES].decode(errors="ignore") or "unnamed"


def collect(folder):
    """Return the submissions of a folder, one for each student, in order of ids."""
    by_student = defaultdict(list)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name not in LITTER:
                by_student[student_id(entry.name).casefold()].append(entry)
    return [_one(by_student[student]) for student in sorted(by_student)]


def _one(entries):
    """Return the submission of one student."""
    entries = sorted(entries, key=lambda entry: entry.name)
    student, path = student_id(entries[0].name), Path(entries[0].path)
    if len(entries) > 1:
        return Submission(student, path, f"there are {len(entries)} files of this name")
    return Submission(student, path, _refusal(entries[0]))


def _refusal(entry):
    if entry.is_symlink():
        return "this is a link, not a file"
    if not entry.is_file(follow_symlinks=False):
        return "this is not a file"
    if Path(entry.name).suffix.lower() != ".ipynb":
        return "the file is not a notebook (.ipynb)"
    return ""
