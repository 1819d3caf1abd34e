"""A made-up class of sixty: their names, their habits, and the archives they fill.

The names are in twelve scripts. What each handed in, how often, how late and in which
wrapping is settled here, so that a test knows every mark before anything is graded.
"""

import io
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta

NAMES = """
Ada Lovelace, Zoë Łęcka, José Ñandú, Søren Ångström, Nguyễn Thị Ánh
Софья Ковалевская, Андрей Марков, Оксана Шевченко, Іван Франко, Ђорђе Станковић
Υπατία Θέωνος, Εύη Παππά, Νίκος Γεωργίου, Άννα Δήμου, Σοφία Ιωάννου
مريم ميرزاخاني, عمر الخيام, ليلى حسن, يوسف علي, نور الدين
עמי נתר, נועה לוי, דוד כהן, שרה מזרחי, יעל ברק
रवि कुमार, रवी कुमार, सीता देवी, आर्यभट, लीलावती
陈景润, 王小云, 李雷, 韩梅梅, 张益唐
高木貞治, 田中さくら, アリス スミス, 山田太郎, 鈴木花子
김민준, 이서연, 박지훈, 최수아, 정하은
สมชาย ใจดี, สมหญิง ใจดี, กนกวรรณ ศรีสุข, ณัฐพล, พิมพ์ชนก
ნინო ბერიძე, გიორგი მაისურაძე, ანა ლომიძე, ლუკა, თამარი
Shaquille O'Neil, -Dash McMinus, =Sum Formula, Ada_5 Under, அருண் குமார்
"""
DUE = datetime(2026, 10, 16, 18)
# What students hand in, in turn, and what they are told apart by in a file.
KINDS = ("solved", "one wrong", "solved", "stub", "solved", "one wrong")
WRITTEN = ("", "0", "1.5", "2", "3")


@dataclass(frozen=True)
class Person:
    """One of the class: who it is, what was handed in, and how late."""

    number: int  # the platform's
    name: str
    kind: str
    place: int
    hours: int = 0  # after the end, if above 0
    wrapping: str = ""  # what the file is besides a notebook under its own name

    @property
    def email(self):
        """The address in the roster."""
        return f"s{self.number}@example.org"

    @property
    def by_hand(self):
        """The mark that a person gives for the written question."""
        return "" if self.wrapping == "absent" else WRITTEN[self.place % len(WRITTEN)]


WRAPPINGS = {
    7: "absent", 12: "again", 19: "zip", 23: "pdf", 31: "again", 37: "download",
    44: "litter", 52: "another assignment", 55: "again in the second archive",
}  # fmt: skip
LATE = {5: 1, 14: 20, 26: 30, 33: 73, 40: 200}


def people():
    """Return the sixty."""
    names = [name.strip() for name in NAMES.replace("\n", ",").split(",")]
    return [
        Person(
            number=1001 + 7 * n,
            name=name,
            kind=KINDS[n % len(KINDS)],
            place=n,
            hours=LATE.get(n, 0),
            wrapping=WRAPPINGS.get(n, ""),
        )
        for n, name in enumerate(filter(None, names))
    ]


def canvas_name(person, file, attachment):
    """Return the name of a file in an archive of Canvas, the family name first."""
    first, *rest = person.name.split(" ")
    sortable = "".join([*rest, first]).lower()
    late = "_LATE" if person.hours > 0 else ""
    return f"{sortable}{late}_{person.number}_{attachment}_{file}"


def moodle_name(person, file, _attachment):
    """Return the path of a file in an archive of Moodle, which takes `_` for itself."""
    name = person.name.replace("_", " ")
    tail = "" if person.place % 2 else "_"  # with an old Moodle's last sign or without
    return f"{name}_{person.number}_assignsubmission_file{tail}/{file}"


def files(person, work, name_of, hw):
    """Yield (path, when, bytes) of what one of the class handed in, latest last.

    `work(kind, number)` makes a notebook, no two of which are the same.
    """
    when = DUE + timedelta(hours=person.hours) - timedelta(minutes=20)
    attachment = 50_000 + 10 * person.place
    final = work(person.kind, person.place)
    match person.wrapping:
        case "absent":
            return
        case "again":
            early = work("stub", 100 + person.place)
            yield (
                name_of(person, f"{hw}.ipynb", attachment),
                when - timedelta(days=2),
                early,
            )
            yield name_of(person, f"{hw}-2.ipynb", attachment + 1), when, final
        case "zip":
            inner = io.BytesIO()
            with zipfile.ZipFile(inner, "w") as made:
                made.writestr(f"work/{hw}.ipynb", final)
                made.writestr("work/.ipynb_checkpoints/x-checkpoint.ipynb", b"{}")
            yield name_of(person, f"{hw}.zip", attachment), when, inner.getvalue()
        case "pdf":
            yield name_of(person, f"{hw}.pdf", attachment), when, b"%PDF"
        case "download":
            yield name_of(person, f"{hw} (1).ipynb", attachment), when, final
        case "litter":
            yield name_of(person, f"{hw}.ipynb", attachment), when, final
            yield f"__MACOSX/._{hw}.ipynb", when, b""
        case "another assignment":
            yield (
                name_of(person, "hw4.ipynb", attachment),
                when,
                work("another assignment", person.place),
            )
        case _:
            yield name_of(person, f"{hw}.ipynb", attachment), when, final


def archive(path, members):
    """Write an archive of (path, when, bytes)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, when, data in members:
            made.writestr(zipfile.ZipInfo(name, when.timetuple()[:6]), data)
    return path


def roster(members):
    """Return the roster of a class as CSV."""
    lines = [f"{p.number},{p.name},{p.email}\n" for p in members]
    return "id,name,email\n" + "".join(lines)
