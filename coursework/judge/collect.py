"""Take the notebooks out of the archive that Canvas or Moodle gives an instructor.

Both put the student into the name of a file or folder, beside what the student chose.
`canvas-17` and `moodle-42` are the names that our tables know how to send back.
"""

import re
import zipfile
from pathlib import PurePosixPath

from coursework.judge.notebook import SIZE_LIMIT
from coursework.judge.submissions import UNCLEAR

# Ada Lovelace_42_assignsubmission_file/hw1.ipynb; with or without a last "_". A name
# stands before the number, and nothing that a student chose behind it.
MOODLE = re.compile(r".*_([0-9]+)_assignsubmission_file_?", re.DOTALL)
NUMBER = re.compile(r"[1-9][0-9]*")


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
        return [f"moodle-{match[1]}"] if match else []
    parts = member.name.split("_")
    places = range(1, len(parts) - 2)
    pairs = [(parts[n], parts[n + 1]) for n in places]
    fine = [a for a, b in pairs if NUMBER.fullmatch(a) and NUMBER.fullmatch(b)]
    return [f"canvas-{number}" for number in dict.fromkeys(fine)]


def collect(archive, folder):
    """Write one notebook for each student; return {member that is not theirs: why}.

    The folder must be new. A second notebook of a student is written under another
    suffix: the judge then refuses to choose, and says so. So is one that may be of
    several students: it has a row of its own, until an instructor gives it a name.
    """
    folder.mkdir(parents=True)
    amiss = {}
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            member = PurePosixPath(info.filename)
            who = students(member)
            if info.is_dir():
                continue
            if len(who) != 1 or member.suffix.lower() != ".ipynb":
                amiss[info.filename] = _why(who, member)
            if not who or member.suffix.lower() != ".ipynb":
                continue
            target = folder / f"{who[0]}.ipynb"
            if len(who) > 1:
                target = folder / f"unclear-{len(amiss)}{UNCLEAR}"
            elif target.exists():
                target = target.with_suffix(".second")
            with opened.open(info) as stream:
                # One byte more than is allowed, and the judge refuses it as too large.
                target.write_bytes(stream.read(SIZE_LIMIT + 1))
    return amiss


def _why(who, member):
    if member.suffix.lower() != ".ipynb":
        return "no notebook"
    if not who:
        return "no number of a student in its name"
    names = " or ".join(f"{name}.ipynb" for name in who)
    return f"it may be of {len(who)} students: see who it is, and save it as {names}"
