"""Take the notebooks out of the archive that Canvas or Moodle gives an instructor.

Both put the student into the name of a file or folder, beside what the student chose.
`canvas-17` and `moodle-42` are the names that our tables know how to send back.
"""

import re
import zipfile
from pathlib import PurePosixPath

from coursework.judge.notebook import SIZE_LIMIT

# ada_17_99_hw1.ipynb or ada_LATE_17_99_hw1.ipynb. A student who is called ada_5 could
# pass for number 5: where there is a third number, it is not guessed which is which.
CANVAS = re.compile(r"[^_]*(?:_LATE)?_(\d+)_\d+_(?!\d+_).+")
# Ada Lovelace_42_assignsubmission_file/hw1.ipynb; with or without a last "_".
MOODLE = re.compile(r".*_(\d+)_assignsubmission_file_?")


def student(member):
    """Return `canvas-17` or `moodle-42` for the path of a member, or None."""
    folder, name = member.parts[0], member.name
    if len(member.parts) > 1 and (match := MOODLE.fullmatch(folder)):
        return f"moodle-{match[1]}"
    if len(member.parts) == 1 and (match := CANVAS.fullmatch(name)):
        return f"canvas-{match[1]}"
    return None


def collect(archive, folder):
    """Write one notebook for each student; return the members that are left out.

    The folder must be new. A second notebook of a student is written under another
    suffix: the judge then refuses to choose, and says so.
    """
    folder.mkdir(parents=True)
    left_out = []
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            member = PurePosixPath(info.filename)
            if info.is_dir():
                continue
            name = student(member)
            if name is None or member.suffix.lower() != ".ipynb":
                left_out.append(info.filename)
                continue
            target = folder / f"{name}.ipynb"
            if target.exists():
                target = target.with_suffix(".second")
            with opened.open(info) as stream:
                # One byte more than is allowed, and the judge refuses it as too large.
                target.write_bytes(stream.read(SIZE_LIMIT + 1))
    return left_out
