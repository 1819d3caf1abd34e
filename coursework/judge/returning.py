"""The pages of a run in the archives by which Canvas and Moodle give them back.

Both know a student by the name of the file, or of its folder, that they gave out: so a
page takes the name that its notebook had in the archive it came in.
"""

import io
import zipfile
from pathlib import PurePosixPath

from coursework.judge import term
from coursework.judge.book import COLLECTED
from coursework.judge.collect import name_of, pairs, students

PAGE = "feedback.html"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same pages make the same bytes


def archives(place, pages):
    """Return ({"canvas.zip": bytes, ...}, students whose page is in none of them).

    `pages` are {student: page}. An archive that would be empty is left out.
    """
    names = _names(place / "collected.csv")
    found = {}
    for student, page in pages.items():
        if student in names:
            platform, _, number = student.partition("-")
            path = _path(platform, number, names[student])
            found.setdefault(f"feedback-{platform}.zip", {})[path] = page
    packed = {name: _packed(members) for name, members in sorted(found.items())}
    return packed, [student for student in pages if student not in names]


def _names(path):
    """Return {student: path of a file of hers}: of the one that counts, if known."""
    names = {}
    for _, row in term.rows(path, COLLECTED):
        # `cell` may have put a sign before the name; what may be several people's is
        # in the end that one's who was given it.
        member = PurePosixPath(row["file"].removeprefix("'"))
        for student in students(member):
            if not row["why"] or student not in names:
                names[student] = member
    return names


def _path(platform, number, member):
    """Return where the page of whoever handed in a file lies in the archive.

    Canvas takes the first two numbers between the signs `_` for the student and the
    file, and Moodle takes the second of four parts of a folder for the participant.
    """
    if platform == "moodle":
        return f"{name_of(member)}_{number}_assignsubmission_file/{PAGE}"
    place, _, file = next(p for p in pairs(member) if p[1] == number)
    parts = member.name.split("_")
    # No sign `_` before the numbers, and no number alone.
    name = "-".join([*parts[:place], ""])
    called = PurePosixPath("-".join(parts[place + 2 :])).stem
    return f"{name}_{number}_{file}_{called}.html"


def _packed(members):
    """Return an archive of {path: text}."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(path, LONG_AGO), text)
    return stream.getvalue()
