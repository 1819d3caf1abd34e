"""Take the notebooks out of the archives that Canvas or Moodle gives an instructor.

Both put the student into the name of a file or folder, beside what the student chose.
`canvas-17` and `moodle-42` are the names that our tables know how to send back. The
latest attempt of each student counts, the others are kept beside it, and every file of
every archive has a line in `collected.csv`.
"""

import csv
import io
import re
import zipfile
import zlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath

from coursework.judge.book import COLLECTED
from coursework.judge.notebook import SIZE_LIMIT
from coursework.judge.report import cell, write
from coursework.judge.submissions import UNCLEAR
from coursework.judge.term import TermError, rows

# Ada Lovelace_42_assignsubmission_file/hw1.ipynb; with or without a last "_". A name
# stands before the number, and nothing that a student chose behind it.
MOODLE = re.compile(r"(.*)_([0-9]+)_assignsubmission_file_?", re.DOTALL)
# The same without a folder a student: the name of the file comes behind it.
MOODLE_FLAT = re.compile(r"(.*?)_([0-9]+)_assignsubmission_file_(.+)", re.DOTALL)
NUMBER = re.compile(r"[1-9][0-9]*")
# hw1-2.ipynb: Canvas counts the attempts of a student so, browsers their downloads.
ATTEMPT = re.compile(r"-([0-9]{1,3})(?: ?\([0-9]+\))?\.ipynb", re.IGNORECASE)
LITTER = re.compile(r"(__MACOSX|\.ipynb_checkpoints|\.DS_Store|Thumbs\.db|\._.*)")
INNER_LIMIT = 256 << 20  # of an archive within the archive


@dataclass(frozen=True)
class Found:
    """One file of an archive: whose it is, and what became of it."""

    student: str
    name: str
    file: str
    attempt: int
    handed_in: str
    kept: str = ""
    why: str = ""


def student(member):
    """Return `canvas-17` or `moodle-42` for the path of a member, or None."""
    who = students(member)
    return who[0] if len(who) == 1 else None


def students(member):
    """Return all who may have handed in a member, by its path.

    ada_17_99_hw1.ipynb or ada_LATE_17_99_hw1.ipynb, says Canvas: a name, a number for
    the student, one for the file, and what the student called it. Names and files may
    hold numbers too, so that there may be several ways to read it. The true one is
    among them; where it is the only one, it is known.
    """
    if len(member.parts) > 1:
        match = MOODLE.fullmatch(member.parts[0])
        return [f"moodle-{match[2]}"] if match else []
    flat = MOODLE_FLAT.fullmatch(member.name)
    if flat and "_assignsubmission_file_" not in flat[3]:
        return [f"moodle-{flat[2]}"]
    numbers = dict.fromkeys(number for _, number, _ in pairs(member))
    return [f"canvas-{number}" for number in numbers]


def pairs(member):
    """Return [(place, student, file)] of the numbers side by side in a Canvas name."""
    parts = member.name.split("_")
    found = [(n, parts[n], parts[n + 1]) for n in range(1, len(parts) - 2)]
    return [p for p in found if NUMBER.fullmatch(p[1]) and NUMBER.fullmatch(p[2])]


def name_of(member):
    """Return what the platform calls the student of a member: Moodle writes it out."""
    first = member.parts[0]
    match = MOODLE.fullmatch(first) or MOODLE_FLAT.fullmatch(first)
    return match[1] if match else ""


def collect(archive, place):
    """Put the notebooks of an archive into the folder of an assignment.

    Returns what is said of each file. A second archive adds to the first: what is later
    counts, and what it replaces is kept in `attempts`. A notebook that may be of
    several students has a row of its own, until an instructor gives it a name.
    """
    folder = place / "submissions"
    folder.mkdir(parents=True, exist_ok=True)
    entries, unclear = _said(place), len(list(folder.glob(f"*{UNCLEAR}")))
    before = len(entries)
    for member, handed_in, data in members(archive):
        who = students(member)
        found = Found("", name_of(member), str(member), _attempt(member), handed_in)
        why = _why_not(member, who)
        if why:
            entries.append(replace(found, why=why))
        elif len(who) > 1:
            unclear += 1
            name = f"unclear-{unclear}{UNCLEAR}"
            (folder / name).write_bytes(data)
            entries.append(replace(found, kept=name, why=_unclear(who)))
        else:
            entries.append(replace(found, student=who[0]))
            _keep(place, entries, data)
    _write(place, entries)
    return entries[before:]


def members(archive):
    """Yield (path, when, bytes) of the files of an archive, and of archives within it.

    Of a file no more is read than it takes to refuse it as too large.
    """
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            member = PurePosixPath(info.filename)
            if info.is_dir() or any(map(LITTER.fullmatch, member.parts)):
                continue
            when = _when(info)
            if member.suffix.lower() == ".zip":
                yield from _inner(opened, info, member, when)
                continue
            with opened.open(info) as stream:
                yield member, when, stream.read(SIZE_LIMIT + 1)


def _when(info):
    """Return the time of a member, or nothing where it has none that can be."""
    try:
        return datetime(*info.date_time).isoformat(timespec="minutes")
    except ValueError:
        return ""


def _inner(opened, info, outer, when):
    """Yield the notebooks of an archive that a student handed in."""
    with opened.open(info) as stream:
        data = stream.read(INNER_LIMIT + 1)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inside:
            for one in inside.infolist():
                member = PurePosixPath(one.filename)
                if one.is_dir() or any(map(LITTER.fullmatch, member.parts)):
                    continue
                if member.suffix.lower() != ".ipynb":
                    continue
                with inside.open(one) as stream:
                    name = f"{outer.stem}_{member.name}"
                    yield outer.with_name(name), when, stream.read(SIZE_LIMIT + 1)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, zlib.error):
        yield outer, when, b""


def _attempt(member):
    """Return the number of an attempt, which Canvas puts behind the name, or 1."""
    match = ATTEMPT.search(member.name)
    return int(match[1]) if match else 1


def _keep(place, entries, data):
    """Write a notebook if it is the one that counts, and else beside that."""
    entry = entries[-1]
    target = place / "submissions" / f"{entry.student}.ipynb"
    if target.exists() and target.read_bytes() == data:
        entries[-1] = replace(entry, kept=target.name, why="the same bytes again")
        return
    counted = [
        n
        for n, e in enumerate(entries[:-1])
        if e.student == entry.student and not e.why
    ]
    loser = counted[-1] if counted else None
    if loser is not None and _rank(place, entries[loser]) > _rank(place, entry):
        entries[-1] = _aside(place, entry, data)
        return
    if target.exists():
        old = target.read_bytes()
        aside = _aside(place, entries[loser] if counted else entry, old)
        if counted:
            entries[loser] = aside
    target.write_bytes(data)
    entries[-1] = replace(entry, kept=target.name)


def _rank(place, entry):
    """Return what makes a notebook count before another of the same student."""
    named = place.folder.name in PurePosixPath(entry.file).name
    return named, entry.attempt, entry.handed_in


def _aside(place, entry, data):
    """Keep a notebook that does not count, and return what is said of it."""
    folder = place / "attempts" / entry.student
    folder.mkdir(parents=True, exist_ok=True)
    path = _free(folder)
    path.write_bytes(data)
    kept = f"attempts/{entry.student}/{path.name}"
    return replace(entry, kept=kept, why="another attempt counts")


def _free(folder):
    """Return a name that is not taken, by number."""
    return folder / f"{len(list(folder.iterdir())) + 1}.ipynb"


def _said(place):
    """Return what was said of the files of earlier archives."""
    path, found = place / "collected.csv", []
    for number, row in rows(path, COLLECTED):
        told = {name: row[name] or "" for name in COLLECTED}
        if not told["attempt"].isdecimal():
            words = (
                f"{path}, line {number}: {told['attempt']} is no number of an attempt"
            )
            raise TermError(words)
        found.append(Found(**told | {"attempt": int(told["attempt"])}))
    return found


def _write(place, entries):
    """Write what is said of the files of all archives."""
    stream = io.StringIO()
    lines = csv.writer(stream, lineterminator="\n")
    lines.writerow(COLLECTED)
    for entry in entries:
        lines.writerow([cell(getattr(entry, name)) for name in COLLECTED])
    write(place / "collected.csv", stream.getvalue())


def _why_not(member, who):
    if member.suffix.lower() == ".zip":
        return "an archive that cannot be opened"
    if member.suffix.lower() != ".ipynb":
        return "no notebook"
    return "" if who else "no number of a student in its name"


def _unclear(who):
    names = " or ".join(f"{name}.ipynb" for name in who)
    return f"it may be of {len(who)} students: see who it is, and save it as {names}"
