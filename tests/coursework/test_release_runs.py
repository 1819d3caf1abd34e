"""Both versions of each notebook, run from top to bottom in a kernel, plots and all."""

import json
import shutil

import nbformat
import pytest
from coursework_tools import stripped
from nbclient import NotebookClient

from coursework.questions import names
from coursework.release import assignment, self_check

pytestmark = pytest.mark.slow
EVERY_ASSIGNMENT = pytest.mark.parametrize("hw", names())


def executed(notebook, hw, folder, *, allow_errors):
    """Return the notebook after its cells ran in a folder as a student has it."""
    (folder / "check.py").write_text(self_check(hw), encoding="utf-8")
    for path in assignment(hw).files:
        shutil.copy(path, folder)
    (folder / f"{hw}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    client = NotebookClient(
        nbformat.reads(json.dumps(notebook), as_version=4),
        timeout=120,
        kernel_name="python3",
        allow_errors=allow_errors,
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def texts(notebook):
    """Return what the checks said."""
    outputs = [o for c in notebook.cells for o in c.get("outputs", [])]
    shown = [o.get("data", {}).get("text/plain", "") for o in outputs]
    return [text for text in shown if text.startswith(("✓", "✗"))]


@EVERY_ASSIGNMENT
def test_the_solutions_run_from_top_to_bottom(hw, tmp_path):
    notebook = executed(stripped(hw)[0], hw, tmp_path, allow_errors=False)
    assert [text[0] for text in texts(notebook)] == ["✓"] * len(assignment(hw).judged)
    outputs = [o for c in notebook.cells for o in c.get("outputs", [])]
    assert not [o["text"] for o in outputs if o.get("name") == "stderr"]
    *_, rehearsal = notebook.cells
    (said,) = (o.data["text/plain"] for o in rehearsal.outputs)
    assert said.startswith(f"{hw}.ipynb, as it was saved ")
    assert said.count("✓") == len(assignment(hw).judged)
    assert said.endswith("All of it runs as it will be run for the marks.")
    assert sum("image/png" in o.get("data", {}) for o in outputs) >= 2


@EVERY_ASSIGNMENT
def test_the_stubs_run_to_the_end_and_are_answered(hw, tmp_path):
    notebook = executed(stripped(hw)[1], hw, tmp_path, allow_errors=True)
    said = texts(notebook)
    assert len(said) == len(assignment(hw).judged)
    assert all("nothing comes back yet" in text for text in said)
    (rehearsal,) = (o.data["text/plain"] for o in notebook.cells[-1].outputs)
    assert rehearsal.count("✗") >= len(assignment(hw).judged)
    assert rehearsal.endswith("does not work where it is marked.")
    assert all(c.execution_count for c in notebook.cells if c.cell_type == "code")
