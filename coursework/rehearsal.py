"""Runs a notebook from top to bottom as the judge will, and says what will not survive.

`REHEARSAL` is the program that does so in a process of its own: `coursework/stage.py`
and what the judge runs notebooks with. The release puts it beside this class.
"""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from coursework.selfcheck import Verdict

PATIENCE = 60  # seconds; the judge has a twelfth of it


@dataclass(frozen=True, repr=False)
class Rehearsal:
    """The dry run of an assignment: its program, its files, its {question: function}.

    `place` is the folder of check.py, the notebook and the data.
    """

    program: str
    files: tuple
    functions: dict
    place: Path

    def __call__(self, notebook=None):
        """Run the notebook as it was saved, in a fresh process, and say what fails."""
        if sys.platform == "emscripten":
            says = "a browser cannot start a second Python. Restart the kernel and run "
            return Verdict(False, "no process", f"✗ everything: {says}all cells.")
        found, trouble = self._notebook(notebook)
        if trouble:
            return Verdict(False, "no notebook", f"✗ everything: {trouble}")
        age = time.time() - found.stat().st_mtime
        head = f"{found.name}, as it was saved {_ago(age)}. (Save first: Ctrl+S.)"
        ended, lines = self._run(found)
        ok = ended and not any(line.startswith("✗") for line in lines)
        tail = "All of it runs as it will be run for the marks." if ok else (
            "What has a ✗ does not work where it is marked."
        )  # fmt: skip
        return Verdict(ok, "" if ok else "rehearsal", "\n".join([head, *lines, tail]))

    def _notebook(self, name):
        """Return (path, None) of the notebook to run, or (None, what is the matter)."""
        if name is not None:
            path = Path(name) if Path(name).is_absolute() else self.place / name
            return (path, None) if path.is_file() else (None, f"there is no {path}.")
        found = sorted(self.place.glob("*.ipynb"))
        if len(found) == 1:
            return found[0], None
        if found:
            names = ", ".join(path.name for path in found)
            return None, f"which? Say check.everything('…') with one of {names}."
        return None, (
            f"there is no notebook in {self.place}. On Colab, download yours and drag "
            "it into the folder at the left edge."
        )

    def _run(self, notebook):
        """Return whether the program has come to its end, and the lines it printed."""
        with TemporaryDirectory() as folder:
            for name in (*self.files, "check.py"):
                text = (self.place / name).read_bytes()
                (Path(folder) / name).write_bytes(text)
            pairs = [f"{q}={name}" for q, name in self.functions.items()]
            program = Path(folder) / "rehearsal.py"  # too long for a command line
            program.write_text(self.program, encoding="utf-8")
            command = [sys.executable, "-X", "utf8", str(program)]
            try:
                done = subprocess.run(
                    [*command, str(notebook.resolve()), *pairs],
                    cwd=folder, timeout=PATIENCE, capture_output=True, encoding="utf-8",
                    check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired as late:
                lines = (late.stdout or b"").decode().splitlines()
                says = f"it did not come to its end in {PATIENCE} seconds: a loop?"
                return False, [*lines[:-1], f"✗ {_last(lines)}: {says}"]
        lines = done.stdout.splitlines()
        if lines[-1:] == ["done"]:
            return True, [line for line in lines[:-1] if not line.startswith("…")]
        error = done.stderr.strip().splitlines()[-1:] or ["without a word"]
        says = f"it ended the whole program ({error[0]})."
        shown = [line for line in lines if not line.startswith("…")]
        return False, [*shown, f"✗ {_last(lines)}: {says}"]


def _last(lines):
    """Return the step that was at work last: the program announces each with `…`."""
    steps = [line.removeprefix("… ") for line in lines if line.startswith("… ")]
    return steps[-1] if steps else "the notebook"


def _ago(seconds):
    """Return how long ago that was, in words."""
    if seconds < 90:
        return f"{max(seconds, 0):.0f} seconds ago"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes ago" if minutes < 90 else f"{minutes / 60:.0f} h ago"
